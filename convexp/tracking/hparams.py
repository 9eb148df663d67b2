"""Rows and columns of TensorBoard's HParams table: one row for each configuration, one column for each compared setting."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from convexp.config import Config
from convexp.records import RunRecord, identity_hash
from convexp.records.numbers import is_number
from convexp.records.plan import Plan, settings_of, single_settings
from convexp.records.repetitions import is_seed
from convexp.records.settings import display_value, flatten, lookup

Value = str | float


@dataclass(frozen=True)
class Column:
    """A column of the HParams table.

    Attributes:
        name: Title of the column.
        path: Dotted path of the value in the record of a run, such as ``config.model.norm``.
        number: Whether the values of all runs are numbers. Otherwise all are text, as TensorBoard has one type for each column.
        varies: Whether the values differ between the runs of the study. TensorBoard shows these columns first.
    """

    name: str
    path: str
    number: bool = False
    varies: bool = False

    def value(self, record: RunRecord) -> Value | None:
        """Return the value of a run; None, for an empty cell, if it is not a number and the column is one of numbers."""
        found = _found(record, self.path)
        if self.number:
            return float(found) if is_number(found) else None
        return display_value(found)


# TensorBoard shows the first five columns in alphabetical order. "with/" moves settings that are seldom compared to the end.
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


def _found(record: RunRecord, path: str) -> Any:
    """The value at the path of a column."""
    section, _, setting = path.partition(".")
    if section == "config":
        return lookup(record.config, setting)
    return getattr(record.network, setting, None)


def columns(plan: Plan | None) -> list[Column]:
    """Return the curated columns, and one for each further setting that varies between the planned runs, seeds excluded."""
    varied = {f"config.{setting}": values for setting, values in _varied(plan).items()}
    known = [replace(column, varies=column.path in varied) for column in CURATED]
    new = {path: values for path, values in varied.items() if path not in {column.path for column in known}}
    names = Counter([*(column.name for column in known), *map(_short_name, new)])
    return known + [
        Column(
            name=_short_name(path) if names[_short_name(path)] == 1 else path.removeprefix("config."),
            path=path,
            number=all(map(is_number, values)) and _is_set_in_every_run(path.removeprefix("config."), plan),
            varies=True,
        )
        for path, values in new.items()
    ]


def _short_name(path: str) -> str:
    """Shorten ``config.data.shift.train`` to ``shift.train``."""
    setting = path.removeprefix("config.")
    return setting.partition(".")[2] or setting


def _is_set_in_every_run(setting: str, plan: Plan | None) -> bool:
    """Whether every planned run has a value on this axis. TensorBoard draws no line for a run without a number."""
    return all(setting in single_settings(run.point) for run in (plan.runs if plan else ()))


def _varied(plan: Plan | None) -> dict[str, list[Any]]:
    """Return the settings that have more than one value in the plan, seeds excluded, with their values."""
    found: dict[str, list[Any]] = {}
    for axis, values in (plan.axes if plan else {}).items():
        for value in values:
            for setting, own in _factors(axis, value):
                found.setdefault(setting, []).append(own)
    return {setting: values for setting, values in found.items() if any(value != values[0] for value in values)}


def _factors(axis: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield the settings of an axis with their values, without the seed and the seeds that vary together with it."""
    for setting, own in single_settings({axis: value}).items():
        if not ("seed" in settings_of(axis) and is_seed(setting)):
            yield setting, own


def cells(columns: list[Column], record: RunRecord) -> dict[str, Value]:
    """Return the values of a run by the names of the columns, without empty cells."""
    values = {column.name: column.value(record) for column in columns}
    return {name: value for name, value in values.items() if value is not None}


def session_group(record: RunRecord, plan: Plan | None, folder: str) -> str:
    """Name the session group, which is one row of the table, that a run belongs to.

    Runs that differ only in the seed share a group, and TensorBoard averages their metrics. In a study other seeds may follow
    the seed, as in ``data.source.seed=${seed}``; they separate groups only if they are an axis of the study.

    Args:
        record: Record of the run.
        plan: Plan of the study that the run belongs to; None if it belongs to none.
        folder: Name of the run's folder in the plan.

    Raises:
        ValidationError: if a convexp with other settings wrote the record.
    """
    settings = flatten(Config.model_validate(record.config).identity())
    point = next((run.point for run in plan.runs if run.folder == folder), None) if plan else None
    kind = {k: v for k, v in settings.items() if k != "seed" and (point is None or not is_seed(k))}
    factors = dict(pair for axis, value in (point or {}).items() for pair in _factors(axis, value))
    return identity_hash({"settings": kind, "factors": {k: v for k, v in factors.items() if is_seed(k)}})
