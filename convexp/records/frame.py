"""All runs of a folder as a table, for a notebook."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convexp.records.index import some
from convexp.records.result import Result
from convexp.records.settings import differing, flattened, lookup, shown, within

if TYPE_CHECKING:
    import pandas as pd

ELSEWHERE = (
    "name",
    "seed",
    "model.name",
    "data.name",
    "outputs",
    "resume",
    "study",
    "logger",
)  # other columns have it, or none


def load(folder: str | Path) -> "pd.DataFrame":
    """A row for each run below ``folder``, whatever its state.

    The columns are ``path`` (relative to ``folder``), ``state``, ``seed``, ``model`` and ``data``; every setting that differs
    between the runs (``data.shift.train``; lists as text, so that rows can be grouped by them); ``parameters``, ``flops`` (of
    one image forward), ``seconds``; and every metric (``test/acc``, ``probe/shift_map/mean``). What a run lacks is missing.

    Example::

        from convexp.runs import load

        runs = load("outputs/studies/three_layers")
        done = runs[runs.state == "finished"]
        done.groupby("model")["test/acc"].agg(["mean", "std", "count"])
        done.pivot(index="seed", columns="model", values="probe/shift_map/mean")

    Raises:
        ConfigError: if there is no such folder, or no run in it.
    """
    import pandas as pd

    found = rows(some(Path(folder)))
    return pd.DataFrame(found, columns=list(found[0]))


def rows(runs: Sequence[Result]) -> list[dict[str, Any]]:
    """The runs as rows that all have the same columns; None for what a run lacks."""
    flat = flattened(runs)
    settings = [name for name in differing(filter(None, flat)) if not within(name, ELSEWHERE)]
    metrics = list(dict.fromkeys(name for run in runs for name in run.get("metrics", {})))
    return [_row(run, values, settings, metrics) for run, values in zip(runs, flat, strict=True)]


def _row(run: Result, values: dict[str, Any], settings: list[str], metrics: list[str]) -> dict[str, Any]:
    config, network = run.get("config"), run.get("network", {})
    return {
        "path": run["path"],
        "state": run["state"],
        "seed": run.get("seed"),
        "model": lookup(config, "model"),
        "data": lookup(config, "data"),
        **{name: _cell(values.get(name)) for name in settings},
        "parameters": network.get("parameters"),
        "flops": network.get("flops"),
        "seconds": run.get("seconds", {}).get("total"),
        **{name: run.get("metrics", {}).get(name) for name in metrics},
    }


def _cell(value: Any) -> Any:
    return shown(value) if isinstance(value, list) else value
