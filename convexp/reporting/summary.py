"""From a folder of runs to the table, the picture and the list of what is missing."""

from dataclasses import dataclass
from pathlib import Path

from convexp import console
from convexp.errors import ConfigError
from convexp.reporting.groups import Group, group
from convexp.reporting.picture import radius_curve, write_picture
from convexp.reporting.table import markdown, rich_table, write_csv
from convexp.runs import Result, collect


@dataclass(frozen=True)
class Summary:
    """The groups of finished runs below a folder, and the runs that did not finish."""

    title: str
    groups: list[Group]
    unfinished: list[Result]


def summarise(root: Path) -> Summary:
    """Read all runs below ``root``.

    Raises:
        ConfigError: if there are none.
    """
    if not root.is_dir():
        raise ConfigError(f"{root}: there is no such folder")
    runs = collect(root)
    if not runs:
        raise ConfigError(f"{root}: there are no runs of convexp in this folder")
    studies = {(run.get("config") or {}).get("study") and run["config"]["study"]["question"] for run in runs}
    question = studies.pop() if len(studies) == 1 else None
    return Summary(question or str(root), group(runs), [run for run in runs if run.get("state") != "finished"])


def write(summary: Summary, root: Path) -> list[Path]:
    """``summary.md``, ``summary.csv`` and ``summary.png`` in ``root``; returns what was written."""
    files = [root / "summary.md", root / "summary.csv"]
    lost = "".join(f"\n- {run['path']}: {run['state']}, {first_line(run)}" for run in summary.unfinished)
    missing = f"\nNot finished, and not in the table:\n{lost}\n" if lost else ""
    files[0].write_text(f"# {summary.title}\n\n{markdown(summary.groups)}{missing}", encoding="utf-8")
    write_csv(summary.groups, files[1])
    if any(radius_curve(g) for g in summary.groups):
        files.append(root / "summary.png")
        write_picture(summary.groups, summary.title, files[-1])
    return files


def first_line(run: Result) -> str:
    """Why a run did not finish, in one line: the last of a traceback."""
    text = (run.get("error") or "").strip()
    return text.splitlines()[-1] if text else "no reason noted"


def show(summary: Summary) -> None:
    """The table on the terminal, and after it every run that is not in it."""
    if summary.groups:
        console.out.print(rich_table(summary.groups, summary.title))
    for run in summary.unfinished:
        console.out.print(f"[yellow]{console.escape(run['path'])}: {run['state']}[/], {console.escape(first_line(run))}")
