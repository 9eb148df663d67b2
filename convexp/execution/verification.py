"""Metrics of a checkpoint computed a second time, by other code than the run's own, and compared with its record."""

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from convexp.config import Config
from convexp.data import Dataset, Images, loader
from convexp.execution.evaluation import evaluation_trainer
from convexp.records import RunRecord
from convexp.training.module import Classifier

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


def recompute_metrics(module: Classifier, data: Dataset, config: Config) -> dict[str, Mean]:
    """Compute ``val/loss``, ``val/acc``, ``test/loss`` and ``test/acc`` in float64 from the logits of all samples."""
    found: dict[str, Mean] = {}
    for part, images in (("val", data.val), ("test", data.test)):
        size = config.data.eval_batch_size
        logits = _logits(module, images, config)  # (N, K)
        labels = images.labels[images.rows]
        losses = logits.logsumexp(1) - logits.gather(1, labels[:, None])[:, 0]
        found[f"{part}/loss"] = _mean(losses, size)
        found[f"{part}/acc"] = _mean((logits.argmax(1) == labels).double(), size)
    return found


def _logits(module: Classifier, images: Images, config: Config) -> Tensor:
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
