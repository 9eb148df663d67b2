"""An overview as lines and a table for a terminal, down to 80 columns."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from convexp.config.command_line.format import shell_path_override
from convexp.config.command_line.of_sweep import sweep_command
from convexp.studies.overview.holders import Holder, Life
from convexp.studies.overview.overview import Overview, RunView, Stage

MOST = 20  # runs of each kind
STYLES = {Stage.FINISHED: "green", Stage.RUNNING: "cyan", Stage.FAILED: "red", Stage.WRONG: "red", Stage.INTERRUPTED: "yellow"}


def render(overview: Overview, now: datetime) -> RenderableType:
    """Return an overview for a terminal.

    Args:
        overview: The overview.
        now: The time here, with its time zone.
    """
    lines = [_head(overview), *_end(overview, now)]
    running = _of(overview, Stage.RUNNING)
    parts: list[RenderableType] = [*lines]
    if running:
        parts += [_table(overview, running[:MOST], now), *_rest(running, "running")]
    for stage in (Stage.FAILED, Stage.WRONG, Stage.UNREADABLE, Stage.INTERRUPTED):
        found = _of(overview, stage)
        parts += [*(_line(overview, run) for run in found[:MOST]), *_rest(found, stage.value)]
    return Group(*parts, *_advice(overview))


def _of(overview: Overview, stage: Stage) -> list[RunView]:
    return [run for run in overview.runs if run.stage is stage]


def _head(overview: Overview) -> Text:
    """How many runs there are of each kind."""
    total = sum(overview.counts.values())
    text = Text(f"{overview.folder}: {total:,} {'run' if total == 1 else 'runs'}: ", style="bold")
    for i, (stage, number) in enumerate(overview.counts.items()):
        text.append(", " if i else "", style="not bold")
        text.append(f"{number:,} {stage}", style=f"not bold {STYLES.get(stage, '')}")
        if stage is Stage.WAITING:
            text.append(_submitted(overview), style="not bold")
    return text


def _submitted(overview: Overview) -> str:
    """How many of the waiting runs wait in the queue of an engine."""
    waiting = [run for run in _of(overview, Stage.WAITING) if run.job]
    engines = Counter(f"{str(run.job).partition(' ')[0]}{' again' if run.again else ''}" for run in waiting)
    return f" ({', '.join(f'{number:,} handed to {engine}' for engine, number in engines.items())})" if engines else ""


def _end(overview: Overview, now: datetime) -> Iterator[Text]:
    if overview.remaining is not None:
        end = (now + timedelta(seconds=overview.remaining)).astimezone(now.tzinfo)
        yield Text(f"about {duration(overview.remaining)} left, until about {moment(end, now)}")


def _name(overview: Overview, run: RunView) -> str:
    """The path of a run, or the folder's name if it is the folder of a run that is looked at."""
    return Path(overview.folder).name if run.path == "." else run.path


def _table(overview: Overview, runs: Sequence[RunView], now: datetime) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("running", overflow="fold", min_width=16)
    table.add_column("epoch", justify="right", no_wrap=True)
    table.add_column("left", justify="right", no_wrap=True)
    table.add_column("on", overflow="fold", min_width=12)
    table.add_column("since", no_wrap=True)
    for run in runs:
        left = "" if run.remaining is None else f"~{duration(run.remaining)}"
        table.add_row(Text(_name(overview, run)), _epoch(run), left, Text(_place(run.holder)), _since(run.holder, now))
    return table


def _epoch(run: RunView) -> str:
    return "" if run.epoch is None else f"{run.epoch}/{run.epochs or '?'}"


def _place(holder: Holder | None) -> str:
    """Where a run is, and how certain that is."""
    if holder is None or holder.host is None:
        return "a process that says no more"
    text = f"{holder.host} ({holder.engine})" if holder.engine else holder.host
    if holder.silent:
        text += f", last beat {duration(holder.silent)} ago"
    return f"{text}, alive? (--watch)" if holder.life is Life.UNKNOWN and not holder.silent else text


def _since(holder: Holder | None, now: datetime) -> str:
    try:
        return moment(datetime.fromisoformat((holder and holder.since) or "").astimezone(now.tzinfo), now)
    except (ValueError, OverflowError):
        return ""


def _line(overview: Overview, run: RunView) -> Text:
    """A run that has ended otherwise than it should."""
    text = Text(f"{_name(overview, run)}: ").append(run.stage.value, style=STYLES.get(run.stage, ""))
    if run.holder is not None and run.holder.host is not None:
        text.append(f", {run.holder.host} has not answered for {duration(run.holder.silent or 0)}")
    return text.append(f", {run.error}" if run.error else "")


def _rest(runs: Sequence[RunView], what: str) -> Iterator[Text]:
    if len(runs) > MOST:
        yield Text(f"... and {len(runs) - MOST:,} more {what}")


def _advice(overview: Overview) -> Iterator[Text]:
    """How to go on with what was interrupted or has failed, and with what waits although nobody is at work."""
    ended = overview.counts.get(Stage.INTERRUPTED, 0) + overview.counts.get(Stage.FAILED, 0)
    waiting = _of(overview, Stage.WAITING)
    forgotten = bool(waiting) and not overview.counts.get(Stage.RUNNING) and not any(run.job for run in waiting)
    if not ended and not forgotten:
        return
    if overview.command:
        yield _whole(f"to go on, start it again: {sweep_command(overview.command, Path(overview.folder))}")
    elif interrupted := _of(overview, Stage.INTERRUPTED):
        folder = Path(overview.folder, interrupted[0].path)
        yield _whole(f"to go on: convexp-train {shell_path_override('resume', folder)}")


def _whole(line: str) -> Text:
    """A line that a terminal may break, so that what is copied from it has no breaks."""
    return Text(line, no_wrap=True, overflow="ignore")


def duration(seconds: float) -> str:
    """Return a duration in its largest fitting unit: ``45 s``, ``12 min``, ``3.5 h``, ``2.1 d``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 48 * 3600 else f"{seconds / 86400:.1f} d"


def moment(then: datetime, now: datetime) -> str:
    """Return a time of day, with the date if it is not today."""
    return f"{then:%H:%M}" if then.date() == now.date() else f"{then:%b %d %H:%M}"
