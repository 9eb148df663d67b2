"""All runs of a folder as a table, for a notebook."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convexp.records.index import collect
from convexp.records.record import RunRecord
from convexp.records.settings import differing, display_value, flattened, last_line, lookup, within

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

    found = rows(collect(Path(folder)))
    return pd.DataFrame(found, columns=list(found[0]))


def rows(runs: Sequence[RunRecord]) -> list[dict[str, Any]]:
    """Return the runs as rows that all have the same columns; None for a value that a run does not have."""
    metrics = list(dict.fromkeys(name for run in runs for name in run.metrics))
    return [identifying | _results(run, metrics) for run, identifying in zip(runs, identifying_columns(runs), strict=True)]


def identifying_columns(runs: Sequence[RunRecord]) -> list[dict[str, Any]]:
    """Return for each run what tells it from the others: path, status, seed, model, data, and every setting that differs."""
    flat = flattened(runs)
    settings = [name for name in differing(filter(None, flat)) if not within(name, NO_COLUMN)]
    return [
        {
            "path": run.path,
            "state": run.state.value,
            "error": last_line(run.error),
            "seed": run.seed,
            "model": lookup(run.config, "model"),
            "data": lookup(run.config, "data"),
            **{name: _cell(values.get(name)) for name in settings},
        }
        for run, values in zip(runs, flat, strict=True)
    ]


def _results(run: RunRecord, metrics: list[str]) -> dict[str, Any]:
    return {
        "parameters": run.network.parameters if run.network else None,
        "flops": run.network.flops if run.network else None,
        "seconds": run.seconds.total,
        **{name: run.metrics.get(name) for name in metrics},
    }


def _cell(value: Any) -> Any:
    return display_value(value) if isinstance(value, list) else value
