"""Losses and accuracies of a checkpoint once more, by other code than the run's own, compared with what it noted."""

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from convexp.config import Config
from convexp.data import Dataset, Images, loader
from convexp.execution.evaluation import tester
from convexp.records import RunRecord
from convexp.training.module import Classifier

RELATIVE = 1e-6  # what is noted was computed and rounded in float32


@dataclass(frozen=True)
class Mean:
    """Of a number of each sample: over all samples, and over the means of batches, of which the last may be shorter."""

    over_samples: float
    over_batches: float


def again(module: Classifier, data: Dataset, config: Config) -> dict[str, Mean]:
    """``val/loss``, ``val/acc``, ``test/loss`` and ``test/acc``: the formulas in float64 on the logits of all samples."""
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
    batches: Any = tester(config).predict(module, loader(images, config.data.eval_batch_size))
    return torch.cat(batches).double()


def _mean(values: Tensor, batch_size: int) -> Mean:
    batches = torch.stack([batch.mean() for batch in values.split(batch_size)])
    return Mean(float(values.mean()), float(batches.mean()))


def verdict(name: str, mean: Mean, record: RunRecord | None) -> str:
    """What to say of ``mean`` beside what ``record`` notes as ``name``; equal is what differs by less than ``RELATIVE``.

    Results that do not say what their ``loss`` is may hold the mean over batches.
    """
    noted = record.metrics.get(name) if record else None
    if record is None or noted is None:
        return "not noted by the run"
    if math.isclose(noted, mean.over_samples, rel_tol=RELATIVE):
        return "as noted"
    if record.loss is None and math.isclose(noted, mean.over_batches, rel_tol=RELATIVE):
        return f"noted: {noted:.7g}, the mean over batches, of which the last, shorter one counts like the others"
    return f"noted: {noted:.7g}"
