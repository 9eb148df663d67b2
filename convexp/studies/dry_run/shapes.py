"""Finished runs of the same shape as one that is planned: what is known of its duration and its size."""

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convexp.records.neighbours import FoundRun
from convexp.records.record import RunRecord
from convexp.records.repetitions import seedless_configurations
from convexp.records.settings import Settings, lookup, within
from convexp.records.status import RunStatus
from convexp.studies.dry_run.amount import Amount

MOST = 20  # runs that an estimate is made from, the latest ones
MOST_SIZED = 3  # runs of which the files are counted

SAME = "the same but for the seed"
SIMILAR = "of the same network on the same data, by their epochs"
EPOCHS = "trainer.max_epochs"
OF_A_KIND = ("model", "match", "data", "augment", "trainer")  # sections that say how long an epoch takes


@dataclass(frozen=True)
class Estimate:
    """What is known of a run that is planned.

    Attributes:
        seconds: How long it would take.
        size: How many bytes its folder would have.
        source: How the runs that this is known from resemble it, ``SAME`` or ``SIMILAR``.
        runs: The folders of these runs.
    """

    seconds: Amount
    size: Amount
    source: str
    runs: tuple[Path, ...]


class Shapes:
    """Estimates planned runs from finished ones.

    Args:
        finished: The finished runs.
        planned: The configurations of planned runs, each with its seed.
    """

    def __init__(self, finished: Sequence[FoundRun], planned: Sequence[tuple[dict[str, Any], int]]) -> None:
        known = [run for run in finished if run[1].is_finished and run[1].config and _seconds(run[1]) is not None]
        known.sort(key=lambda run: run[1].ended or "")
        wanted = [RunRecord(state=RunStatus.NEW, config=config, seed=seed) for config, seed in planned]
        shapes = seedless_configurations([*(record for _, record in known), *wanted])
        self._same: dict[int, list[FoundRun]] = {}
        self._similar: dict[object, list[FoundRun]] = {}
        self._kinds = {id(shape): _kind(shape) for shape in {id(shape): shape for shape in shapes}.values()}
        for run, shape in zip(known, shapes, strict=False):
            self._same.setdefault(id(shape), []).append(run)
            self._similar.setdefault(self._kinds[id(shape)], []).append(run)
        self._estimates = [self._estimate(c, shape) for (c, _), shape in zip(planned, shapes[len(known) :], strict=True)]
        self._shapes = shapes  # so that no other object gets the id of one

    def estimate(self, number: int) -> Estimate | None:
        """The estimate of one of the planned runs; None if no finished run is like it."""
        return self._estimates[number]

    def _estimate(self, config: dict[str, Any], shape: object) -> Estimate | None:
        same = self._same.get(id(shape), [])
        runs = (same or self._similar.get(self._kinds[id(shape)], []))[-MOST:]
        seconds = Amount.of([_scaled(record, config) for _, record in runs])
        size = Amount.of([_size(folder) for folder, _ in runs[-MOST_SIZED:]])
        if seconds is None or size is None:
            return None
        return Estimate(seconds, size, SAME if same else SIMILAR, tuple(folder for folder, _ in runs))


def _kind(settings: Settings) -> object:
    """What two configurations have in common that are of the same network on the same data, trained in the same way."""
    kept = {k: repr(v) for k, v in settings.items() if within(k, OF_A_KIND) and k != EPOCHS and v is not None}
    return bool(settings.get("only_costs")), *sorted(kept.items())


def _seconds(record: RunRecord) -> float | None:
    seconds = record.seconds.total
    return seconds if seconds is not None and math.isfinite(seconds) and seconds >= 0 else None


def _scaled(record: RunRecord, config: dict[str, Any]) -> float:
    """How long a run would have taken with the number of epochs of another configuration."""
    took, fit = _seconds(record) or 0.0, record.seconds.fit or 0.0
    before, epochs = (lookup(each, EPOCHS) for each in (record.config, config))
    if not (isinstance(before, int) and isinstance(epochs, int) and before > 0 and epochs > 0 and 0 <= fit <= took):
        return took
    return took - fit + fit * epochs / before


def _size(folder: Path) -> float:
    """The bytes of the files in a folder."""
    found = 0
    for path, _, names in os.walk(folder):
        for name in names:
            try:
                found += os.lstat(f"{path}/{name}").st_size
            except OSError:  # it has gone
                continue
    return float(found)
