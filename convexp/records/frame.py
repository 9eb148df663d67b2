"""All runs of a folder as a table, for a notebook."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convexp.records.index import collect
from convexp.records.record import RunRecord
from convexp.records.settings import display_value, last_line, lookup, within
from convexp.records.settings_table import SettingsTable

if TYPE_CHECKING:
    import pandas as pd

NO_COLUMN = ("name", "seed", "model.name", "data.name", "outputs", "resume", "study", "logger")  # settings without one


def load(folder: str | Path) -> "pd.DataFrame":
    """Return a table with a row for each run below ``folder``, whatever its status.

    The columns are ``path`` (relative to ``folder``), ``state``, ``error`` (in one line, why it failed or cannot be read),
    ``seed``, ``model`` and ``data``; every setting that differs between the runs (``data.shift.train``; lists as text, so that
    rows can be grouped by them); ``parameters``, ``flops`` (of the forward pass for one image), ``seconds`` (wall time); and
    every metric (``test/acc``, ``probe/shift_map/mean``). A value that a run does not have is missing.

    Example::

        from convexp.runs import load

        runs = load("outputs/studies/three_layers")
        done = runs[runs.state == "finished"]
        done.groupby("model")["test/acc"].agg(["mean", "std", "count"])
        done.pivot(index="seed", columns="model", values="probe/shift_map/mean")

    Raises:
        ConfigError: If there is no such folder, or no run in it.
    """
    import pandas as pd

    return pd.DataFrame(columns(collect(Path(folder), with_maps=False)))


def columns(runs: Sequence[RunRecord]) -> dict[str, list[Any]]:
    """Return what ``load`` returns as columns by name, with one value for each run; None for one that a run does not have."""
    metrics = dict.fromkeys(name for run in runs for name in run.metrics)
    return {
        **identifying_columns(runs),
        "parameters": [run.network.tested_parameters if run.network else None for run in runs],
        "flops": [run.network.tested_flops if run.network else None for run in runs],
        "seconds": [run.seconds.total for run in runs],
        **{name: [run.metrics.get(name) for run in runs] for name in metrics},
    }


def identifying_columns(runs: Sequence[RunRecord]) -> dict[str, list[Any]]:
    """Return the columns that tell the runs apart: path, status, seed, model, data, and every setting that differs."""
    table = SettingsTable(runs)
    settings = [name for name in table.differing() if not within(name, NO_COLUMN)]
    return {
        "path": [run.path for run in runs],
        "state": [run.state.value for run in runs],
        "error": [last_line(run.error) for run in runs],
        "seed": [run.seed for run in runs],
        "model": [lookup(run.config, "model") for run in runs],
        "data": [lookup(run.config, "data") for run in runs],
        **{name: list(map(_cell, table.column(name))) for name in settings},
    }


def _cell(value: Any) -> Any:
    return display_value(value) if isinstance(value, list) else value
