"""How the metrics of all runs of a folder developed in the course of their trainings, as a table."""

import csv
import warnings
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convexp.errors import ConvexpError, one_line
from convexp.records.damage import DamagedError
from convexp.records.frame import identifying_columns
from convexp.records.index import collect
from convexp.records.metrics_file import FILE, read_metrics
from convexp.records.record import RunRecord
from convexp.records.record_file import load_record
from convexp.records.settings import printable

if TYPE_CHECKING:
    import pandas as pd

FINAL = ("test/", "best/", "probe/", "parameters/")  # metrics of the end of a run, which stand in its last row
BY_EPOCH = "by_epoch/"
MOST_STEPS = 2**62  # a larger number was not counted by a run, and no column of the table can hold it

Value = tuple[int | None, int, str, float]  # epoch, step, metric, value


def curves(folder: str | Path) -> "pd.DataFrame":
    """Return a table with a row for each metric of each epoch of each run below ``folder``.

    The first columns are those of ``load`` that tell the runs apart: ``path``, ``state``, ``seed``, ``model``, ``data`` and
    every setting that differs. Then come ``epoch`` and ``step``, how many of them were done (0: before the training; the epoch
    is missing where something was logged within one); ``metric``, such as ``train/loss``, ``val/acc`` or, of a run with
    ``probe_every``, ``by_epoch/shift_map/mean``; and its ``value``. Metrics of the end of a run are columns of ``load``.

    The training's own metrics come from ``metrics.csv``, which the logger ``csv`` writes. A run whose file is damaged is left
    out, with a warning.

    Example::

        from convexp import runs

        curves = runs.curves("outputs/studies/three_layers")
        curves[curves.metric == "val/acc"].groupby(["model", "epoch"]).value.mean().unstack("model").plot()

    Raises:
        ConfigError: If there is no such folder, or no run in it.
    """
    import pandas as pd

    root, found = Path(folder), collect(Path(folder), with_maps=False)
    known = identifying_columns(found)
    names = [name for name in known if name != "error"]
    values = [
        (*identifying, *value)
        for run, identifying in zip(found, zip(*(known[name] for name in names), strict=True), strict=True)
        for value in _values(root, run)
        if max(value[0] or 0, value[1]) <= MOST_STEPS
    ]
    table = pd.DataFrame(values, columns=[*names, "epoch", "step", "metric", "value"])
    return table.astype({"epoch": "Int64", "step": "Int64", "value": "float64"})


def _values(root: Path, run: RunRecord) -> Iterator[Value]:
    measured = _measured(root / run.path)
    yield from measured
    file = root / run.path / FILE
    try:
        rows = read_metrics(file) if file.exists() else []
    except (OSError, ValueError, csv.Error) as error:
        where = printable(str(Path(run.path, FILE)))
        warnings.warn(f"{where}: cannot be read ({printable(one_line(error))}); its curves are left out", stacklevel=4)
        return
    for row in rows:
        yield from _values_of_row(row, skipped=(*FINAL, BY_EPOCH) if measured else FINAL)


def _values_of_row(row: dict[str, Any], skipped: tuple[str, ...]) -> Iterator[Value]:
    epoch, step = _whole(row.get("epoch")), int(row["step"])
    before = epoch is None and step == 0  # only what is measured before the training is logged without an epoch there
    epochs, steps = (0, 0) if before else (None if epoch is None else epoch + 1, step + 1)
    for name, text in row.items():
        if name not in ("epoch", "step") and text and not name.startswith(skipped):
            with suppress(ValueError):
                yield epochs, steps, printable(name), float(text)


def _measured(folder: Path) -> list[Value]:
    """What the probes measured by epoch, from the record."""
    try:
        rows = load_record(folder).by_epoch or []
    except (DamagedError, ConvexpError):  # the status of the run says so
        return []
    return [(row.epoch, row.step, f"{BY_EPOCH}{printable(name)}", value) for row in rows for name, value in row.numbers.items()]


def _whole(text: Any) -> int | None:
    try:
        return int(text)
    except (TypeError, ValueError):
        return None
