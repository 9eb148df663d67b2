"""The mean over all samples of an evaluation, as a metric that Lightning logs and resets."""

from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat


class MeanOverSamples(Metric):
    """Computes ``1/N sum_i x_i`` over the samples ``i`` of all batches, summed in float64 and rounded once, to float32.

    The values of all samples are kept until the mean is computed. So the mean does not depend on how they are cut into batches,
    and a GPU is synchronised once and not at every batch. In a process group it is the mean over all processes.
    """

    values: list[Tensor]

    def __init__(self) -> None:
        super().__init__()
        self.add_state("values", [], dist_reduce_fx="cat")

    def update(self, values: Tensor) -> None:
        """Add the values ``(B,)`` of a batch: numbers, or booleans, which count as 0 and 1."""
        self.values.append(values)

    def compute(self) -> Tensor:
        """Return the mean, a scalar on the CPU."""
        return dim_zero_cat(self.values).cpu().double().mean().float()
