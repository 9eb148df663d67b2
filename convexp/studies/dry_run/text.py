"""What a sweep would do, on a terminal."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from convexp.records import RunStatus
from convexp.records.settings import display_value
from convexp.studies.dry_run.amount import Amount
from convexp.studies.dry_run.forecast import TO_RUN, Forecast
from convexp.studies.overview.text import duration
from convexp.studies.planning import Job
from convexp.terminal import console
from convexp.terminal.words import plural

MOST = 20  # runs in the table
MOST_VALUES = 12  # values of a setting in its line
UNITS = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"))

STATES = {
    RunStatus.NEW: "would run",
    RunStatus.INTERRUPTED: "would be resumed",
    RunStatus.PRUNED: "pruned, would be resumed",
    RunStatus.FAILED: "failed, would be retried",
    RunStatus.BUSY: "running in another process",
    RunStatus.FINISHED: "finished",
    RunStatus.WRONG: "wrong settings",
}


def print_axes(axes: Mapping[str, Sequence[Any]]) -> None:
    """Print the settings that differ between the runs, each with its values."""
    varied = {key: values for key, values in axes.items() if len(values) > 1}
    width = max(map(len, varied), default=0)
    for key, values in varied.items():
        shown = ", ".join(map(display_value, values[:MOST_VALUES]))
        more = f", ... ({len(values):,} values)" if len(values) > MOST_VALUES else ""
        console.out.print(f"  {key:<{width}}  {shown}{more}", markup=False)


def print_runs(jobs: Sequence[Job], forecast: Forecast, notes: Mapping[str, str]) -> None:
    """Print the table of the runs: those that would be done first, then the others.

    Args:
        jobs: The runs.
        forecast: What they would cost.
        notes: By folder, what is to be said in the place of a run's state.
    """
    ordered = sorted(jobs, key=lambda job: job.state not in TO_RUN)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("run", overflow="fold")
    table.add_column("what would happen", overflow="fold")
    table.add_column("about", justify="right", no_wrap=True)
    for job in ordered[:MOST]:
        estimate = forecast.estimates.get(job.folder)
        about = duration(estimate.seconds.mean) if estimate else "unknown" if job.folder in forecast.estimates else ""
        table.add_row(Text(job.folder), Text(notes.get(job.folder, STATES[job.state])), about)
    console.out.print(table, soft_wrap=False)
    if len(ordered) > MOST:
        console.out.print(f"... and {len(ordered) - MOST:,} more runs", markup=False)


def print_forecast(forecast: Forecast, root: Path) -> None:
    """Print how long the runs would take, and on how much disk."""
    for line in _forecast(forecast, root):
        console.out.print(line, markup=False)


def _forecast(forecast: Forecast, root: Path) -> Iterator[str]:
    asked, seconds, size = len(forecast.estimates), forecast.seconds, forecast.size
    if not asked:
        yield "nothing would be run"
        return
    if seconds is None or size is None:
        yield "time and disk: unknown, below the outputs lies no finished run of these networks on these data, trained alike"
        return
    unknown = asked - len(forecast.known)
    rest = f", not counting {plural(unknown, 'run')} of which nothing is known" if unknown else ""
    yield f"time: about {_range(seconds, duration)}, {_how_many(forecast.places)}{rest}"
    yield f"disk: about {_range(size, format_size)}{_free(root)}{rest}"
    sources = "; ".join(f"{number:,} {source}" for source, number in forecast.sources.items())
    yield f"estimated from finished runs: {sources}"


def _how_many(places: int | None) -> str:
    if places is None:
        return "if one is done after the other; how many are done at the same time is up to the engine"
    return "one after the other" if places == 1 else f"with {places} at the same time"


def _range(amount: Amount, text: Any) -> str:
    low, mean, high = text(amount.low), text(amount.mean), text(amount.high)
    return mean if low == high else f"{mean} ({low} to {high})"


def _free(root: Path) -> str:
    """How much of the disk is free, where the folder of the sweep would lie."""
    existing = next(path for path in (root, *root.parents) if path.exists())
    try:
        return f", {format_size(shutil.disk_usage(existing).free)} are free"
    except OSError:
        return ""


def format_size(size: float) -> str:
    """Return a number of bytes in its largest fitting unit."""
    for unit, name in UNITS:
        if size >= unit:
            return f"{size / unit:.3g} {name}"
    return f"{size:.0f} bytes"
