"""The mean over all samples of an evaluation, as a metric that Lightning logs and resets."""

import torch
from torch import Tensor
from torchmetrics.metric import Metric
from torchmetrics.utilities.data import dim_zero_cat

from convexp.training.over_processes import processes, sum_over_processes


class MeanOverSamples(Metric):
    """Computes ``1/N sum_i x_i`` over the samples ``i`` of all batches, summed in float64 and rounded once, to float32.

    The values of all samples are kept until the mean is computed. So the mean does not depend on how they are cut into batches,
    and a GPU is synchronised once and not at every batch. If several processes train together, it is the mean over all their
    samples, and all of them have to compute it.
    """

    values: list[Tensor]

    def __init__(self) -> None:
        super().__init__(sync_on_compute=False)  # torchmetrics would gather all values; sums are enough
        self.add_state("values", [], dist_reduce_fx="cat")

    def update(self, values: Tensor) -> None:
        """Add the values ``(B,)`` of a batch: numbers, or booleans, which count as 0 and 1."""
        self.values.append(values)

    def compute(self) -> Tensor:
        """Return the mean, a scalar on the CPU."""
        values = dim_zero_cat(self.values)
        if processes() == 1:
            return values.cpu().double().mean().float()
        total = sum_over_processes(torch.stack((values.double().sum(), values.new_tensor(len(values), dtype=torch.float64))))
        return (total[0] / total[1]).cpu().float()
