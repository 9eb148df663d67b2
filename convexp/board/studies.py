"""Which studies lie below a folder, and their dashboards brought up to date."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from convexp.board.update import update_dashboard
from convexp.errors import ConvexpError
from convexp.machine.garbage import gc_paused
from convexp.records.index import run_folders
from convexp.records.plan import FILE as PLAN
from convexp.reporting.report import Report, build_report


def studies_below(root: Path) -> list[Path]:
    """Return the folders of the studies that have runs below ``root``, itself included; ``root`` alone if there is no study."""

    @cache
    def study_of(folder: Path) -> Path | None:
        if (folder / PLAN).is_file():
            return folder
        return None if folder == root else study_of(folder.parent)

    runs = [folder for folder in run_folders(root) if folder != root]
    found = list(dict.fromkeys(study for folder in runs if (study := study_of(folder.parent)) is not None))
    return found or ([root] if runs else [])


def update_if_one_study(report: Report, root: Path) -> None:
    """Bring the dashboard of a report's folder up to date, unless studies lie below it, which have dashboards of their own.

    Raises:
        OSError: If the folder cannot be written to.
    """
    if report.plan is not None or studies_below(root) == [root]:
        update_dashboard(report, root)


def update_studies(root: Path) -> Iterator[tuple[Path, int, str | None]]:
    """Bring the dashboard of each study below ``root`` up to date.

    Yields:
        The folder of the study, the number of its configurations, and None or why its dashboard is as it was before.
    """
    for study in studies_below(root):
        try:
            with gc_paused():
                report = build_report(study)
            update_dashboard(report, study)
        except OSError as error:
            yield study, 0, f"cannot be written to ({error.strerror or error})"
        except ConvexpError as error:
            yield study, 0, str(error)
        else:
            yield study, len(report.groups), None
