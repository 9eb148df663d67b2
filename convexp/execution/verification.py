"""Metrics of a checkpoint computed a second time, by other code than the run's own, and compared with its record."""

import math
from dataclasses import dataclass
from typing import Any

import torch
from pytorch_lightning import LightningModule
from torch import Tensor

from convexp.config import Config
from convexp.data import Dataset, Images, loader
from convexp.execution.evaluation import evaluate, evaluation_trainer, with_targets_of
from convexp.records import RunRecord

RELATIVE_TOLERANCE = 1e-6  # metrics in a record were computed and rounded in float32


@dataclass(frozen=True)
class Mean:
    """Two means of a quantity that every sample has.

    Attributes:
        over_samples: Mean over all samples.
        over_batches: Mean over the means of the batches, the last of which may be smaller.
    """

    over_samples: float
    over_batches: float


def recompute_metrics(module: LightningModule, data: Dataset, config: Config) -> dict[str, Mean]:
    """Compute the metrics of validation and test in float64 from the outputs of all samples, by the task's ``recompute``.

    Returns:
        The metrics that the task computes a second time, in other code, such as ``val/loss``; empty if it does so for none.
    """
    found: dict[str, Mean] = {}
    recompute = getattr(module, "recompute", None)
    if recompute is None:
        return found
    data = with_targets_of(module, data)
    for part, images in (("val", data.val), ("test", data.test)):
        for name, values in recompute(_outputs(module, images, config), images).items():
            found[f"{part}/{name}"] = _mean(values, config.data.eval_batch_size)
    return found


def other_metrics(
    module: LightningModule, data: Dataset, config: Config, record: RunRecord | None, recomputed: set[str]
) -> dict[str, float]:
    """Evaluate the module again by its own code; return the metrics that are not ``recomputed``.

    It is not evaluated if the record of the run says that there are no others.
    """
    noted = [name for name in (record.metrics if record else ()) if name.startswith(("val/", "test/"))]
    if recomputed and recomputed >= set(noted):
        return {}
    return {name: value for name, value in evaluate(module, data, config).items() if name not in recomputed}


def _outputs(module: LightningModule, images: Images, config: Config) -> Tensor:
    batches: Any = evaluation_trainer(config).predict(module, loader(images, config.data.eval_batch_size))
    return torch.cat(batches).double()


def _mean(values: Tensor, batch_size: int) -> Mean:
    batches = torch.stack([batch.mean() for batch in values.split(batch_size)])
    return Mean(float(values.mean()), float(batches.mean()))


def compare_with_record(name: str, mean: Mean, record: RunRecord | None) -> str:
    """Say whether a recomputed metric agrees with the record of the run.

    Values that differ by less than ``RELATIVE_TOLERANCE`` agree. A record without the field ``loss`` is of an older version and
    may hold the mean over batches.

    Args:
        name: Name of the metric.
        mean: The recomputed metric.
        record: Record of the run; None if there is none.
    """
    recorded = record.metrics.get(name) if record else None
    if record is None or recorded is None:
        return "not noted by the run"
    if math.isclose(recorded, mean.over_samples, rel_tol=RELATIVE_TOLERANCE):
        return "as noted"
    if record.loss is None and math.isclose(recorded, mean.over_batches, rel_tol=RELATIVE_TOLERANCE):
        return f"noted: {recorded:.7g}, the mean over batches, of which the last, shorter one counts like the others"
    return f"noted: {recorded:.7g}"
