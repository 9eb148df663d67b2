"""Rows and columns of TensorBoard's HParams table: a row per configuration, a column per setting worth comparing."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from convexp.config import Config
from convexp.records import Result, identity_hash
from convexp.records.plan import Plan, settings_of, spread
from convexp.records.settings import flatten, is_number, is_seed, lookup, shown

Value = str | float


@dataclass(frozen=True)
class Column:
    """A column of the table.

    Attributes:
        name: as the table shows it.
        path: where a result holds the value.
        number: whether all runs have numbers there; it is all text otherwise, since a column has one type over all runs.
        varies: whether the study compares it. TensorBoard puts these first.
    """

    name: str
    path: str
    number: bool = False
    varies: bool = False

    def value(self, result: Result) -> Value | None:
        """What stands in the row of ``result``; None (an empty cell) for what is no number in a column of numbers."""
        found = lookup(result, self.path)
        if self.number:
            return float(found) if is_number(found) else None
        return shown(found)


# Few. TensorBoard ticks the first five of the alphabet, hence "with/" before what is seldom compared.
CURATED = (
    Column("data", "config.data"),
    Column("match", "config.match"),
    Column("model", "config.model"),
    Column("parameters", "network.parameters", number=True),
    Column("readout", "config.model.readout"),
    Column("with/batch_size", "config.data.batch_size", number=True),
    Column("with/epochs", "config.trainer.max_epochs", number=True),
    Column("with/lr", "config.optimizer.lr", number=True),
    Column("with/norm", "config.model.norm"),
    Column("with/optimizer", "config.optimizer"),
)


def columns(plan: Plan | None) -> list[Column]:
    """The curated columns, and one for each further setting that the plan varies; the seed is none."""
    varied = {f"config.{setting}": values for setting, values in _varied(plan).items()}
    known = [replace(column, varies=column.path in varied) for column in CURATED]
    new = {path: values for path, values in varied.items() if path not in {column.path for column in known}}
    names = Counter([*(column.name for column in known), *map(_short, new)])
    return known + [
        Column(
            name=_short(path) if names[_short(path)] == 1 else path.removeprefix("config."),
            path=path,
            number=all(map(is_number, values)) and _everywhere(path.removeprefix("config."), plan),
            varies=True,
        )
        for path, values in new.items()
    ]


def _short(path: str) -> str:
    """``config.data.shift.train`` as ``shift.train``."""
    setting = path.removeprefix("config.")
    return setting.partition(".")[2] or setting


def _everywhere(setting: str, plan: Plan | None) -> bool:
    """Whether all runs are on the axis: TensorBoard draws no line for a run that lacks a number."""
    return all(setting in spread(run.point) for run in (plan.runs if plan else ()))


def _varied(plan: Plan | None) -> dict[str, list[Any]]:
    """Settings with more than one value, other than the seed."""
    found: dict[str, list[Any]] = {}
    for axis, values in (plan.axes if plan else {}).items():
        for value in values:
            for setting, own in _factors(axis, value):
                found.setdefault(setting, []).append(own)
    return {setting: values for setting, values in found.items() if any(value != values[0] for value in values)}


def _factors(axis: str, value: Any) -> Iterator[tuple[str, Any]]:
    """The settings of an axis with their values, but for the seed and seeds that move with it."""
    for setting, own in spread({axis: value}).items():
        if not ("seed" in settings_of(axis) and is_seed(setting)):
            yield setting, own


def hparams(table: list[Column], result: Result) -> dict[str, Value]:
    """The cells of a run by the names of the columns."""
    cells = {column.name: column.value(result) for column in table}
    return {name: value for name, value in cells.items() if value is not None}


def row(result: Result, plan: Plan | None, folder: str) -> str:
    """Name of the row that a run belongs to: runs that differ in nothing but the seed share it, and their metrics are averaged.

    In a study other seeds (``data.source.seed=${seed}``) may follow the seed; they tell runs apart only where they are an axis.

    Args:
        result: of the run.
        plan: of the study that it belongs to.
        folder: of the run, as the plan names it.

    Raises:
        ValidationError: if the result is of a convexp with other settings.
    """
    settings = flatten(Config.model_validate(result["config"]).identity())
    point = next((run.point for run in plan.runs if run.folder == folder), None) if plan else None
    kind = {k: v for k, v in settings.items() if k != "seed" and (point is None or not is_seed(k))}
    factors = dict(pair for axis, value in (point or {}).items() for pair in _factors(axis, value))
    return identity_hash({"settings": kind, "factors": {k: v for k, v in factors.items() if is_seed(k)}})
