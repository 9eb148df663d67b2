"""Rows and columns of TensorBoard's HParams table: one row for each configuration, one column for each compared setting."""

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

from convexp.config import Config
from convexp.records import RunRecord, identity_hash
from convexp.records.numbers import is_number
from convexp.records.plan_part import PlanPart, factors
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


# TensorBoard shows columns that vary first, and the first five. "with/" marks settings that are seldom compared.
CURATED = (
    Column("model", "config.model"),
    Column("parameters", "network.tested_parameters", number=True),
    Column("data", "config.data"),
    Column("match", "config.match"),
    Column("readout", "config.model.readout"),
    Column("with/batch_size", "config.data.batch_size", number=True),
    Column("with/epochs", "config.trainer.max_epochs", number=True),
    Column("with/lr", "config.optimizer.lr", number=True),
    Column("with/norm", "config.model.norm"),
    Column("with/optimizer", "config.optimizer"),
)
ALWAYS = ("model", "parameters")
DIGITS = 6  # of the digest in the name of a row


def _found(record: RunRecord, path: str) -> Any:
    """The value at the path of a column."""
    section, _, setting = path.partition(".")
    if section == "config":
        return lookup(record.config, setting)
    return getattr(record.network, setting, None)


def columns(plan: PlanPart | None) -> list[Column]:
    """Return the curated columns, and one for each further setting that varies between the planned runs, seeds excluded."""
    varied = {f"config.{setting}": number for setting, number in (plan.varied if plan else {}).items()}
    known = [replace(column, varies=column.path in varied) for column in CURATED]
    new = {path: number for path, number in varied.items() if path not in {column.path for column in known}}
    names = Counter([*(column.name for column in known), *map(_short_name, new)])
    return known + [
        Column(
            name=_short_name(path) if names[_short_name(path)] == 1 else path.removeprefix("config."),
            path=path,
            number=number,  # TensorBoard draws no line for a run without a number
            varies=True,
        )
        for path, number in new.items()
    ]


def shown_columns(plan: PlanPart | None) -> list[Column]:
    """Return the columns that the table shows: in a study the model, the parameters and what varies, and otherwise all.

    What is the same in all runs of a study would push the metrics out of the window.
    """
    found = columns(plan)
    return [c for c in found if c.varies or c.name in ALWAYS] if plan and plan.varied else found


def _short_name(path: str) -> str:
    """Shorten ``config.data.shift.train`` to ``shift.train``."""
    setting = path.removeprefix("config.")
    return setting.partition(".")[2] or setting


def cells(columns: list[Column], record: RunRecord) -> dict[str, Value]:
    """Return the values of a run by the names of the columns, without empty cells."""
    values = {column.name: column.value(record) for column in columns}
    return {name: value for name, value in values.items() if value is not None}


def session_group(record: RunRecord, plan: PlanPart | None) -> str:
    """Name the session group, which is one row of the table, that a run belongs to: ``conv train_size=100 #1a2b3c``.

    Runs that differ only in the seed share a group, and TensorBoard averages their metrics. In a study other seeds may follow
    the seed, as in ``data.source.seed=${seed}``; they separate groups only if they are an axis of the study. The words are the
    model and the values on the axes of the study; the digest of all settings tells apart what has the same words.

    Args:
        record: Record of the run.
        plan: What the run needs of the plan of its study; None if it belongs to none.

    Raises:
        ValidationError: if a convexp with other settings wrote the record.
    """
    settings = flatten(Config.model_validate(record.config).identity())
    point = plan.point if plan else None
    kind = {k: v for k, v in settings.items() if k != "seed" and (point is None or not is_seed(k))}
    varied = dict(pair for axis, value in (point or {}).items() for pair in factors(axis, value))
    digest = identity_hash({"settings": kind, "factors": {k: v for k, v in varied.items() if is_seed(k)}})
    model = display_value(varied.get("model", lookup(record.config, "model")))
    words = [f"{_short_name(setting)}={display_value(value)}" for setting, value in varied.items() if setting != "model"]
    return " ".join([model, *words, f"#{digest[:DIGITS]}"])
