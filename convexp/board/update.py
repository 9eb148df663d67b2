"""Writes the dashboard of a study into its folder, or brings it up to date."""

from pathlib import Path

from convexp.board.folders import HOME, NAME, claim, folder_names, made_folder, remove_others
from convexp.board.front import front_page
from convexp.board.lines import lines
from convexp.board.series import EPOCHS, SHIFTS, Curve, Series, configurations
from convexp.files.atomic import remove_partials
from convexp.files.locks import locked
from convexp.records.record_file import FILE as RECORD
from convexp.reporting.report import Report
from convexp.tracking.event_files import write_edition
from convexp.tracking.hparams_table import SECONDS
from convexp.tracking.summaries import LOWER, MEAN, UPPER, margin_charts, scalars

FRONT = "front"  # of the event file in the study's folder, after its number
LOCK = ".dashboard.lock"
FIRST_SECOND = 1.0  # TensorBoard lists runs, and colours them, by the times of their first events: the means come first


def update_dashboard(report: Report, root: Path) -> int:
    """Write the means over seeds, the layout of their charts and the front page into the folder of a study.

    What has not changed is not written. A reader sees each file as it was or complete. Folders of configurations that are no
    longer in the study are removed.

    Args:
        report: The report of the study.
        root: The folder of the study.

    Returns:
        The number of files that were written; none into the folder of a single run.

    Raises:
        OSError: If the folder cannot be written to.
    """
    if (root / RECORD).exists():
        return 0
    with locked(root / LOCK):
        home = claim(root)
        along, own = lines(report.groups), configurations(report.groups, root)
        shown = [series for series in [*own, *along] if series.curves]
        names = folder_names([series.name for series in shown])
        written = sum(
            _write(made_folder(home, name), series, FIRST_SECOND + number)
            for number, (name, series) in enumerate(zip(names, shown, strict=True))
        )
        remove_others(home, names)
        layout = (0, margin_charts(categories(shown)))
        return written + write_edition(root, FRONT, [layout, *front_page(report, root)], SECONDS)


def _write(folder: Path, series: Series, seconds: float) -> bool:
    remove_partials(folder)
    summaries = [
        (step, scalars({f"{chart}/{end}": value for end, value in ends.items()}))
        for chart, curve in series.curves.items()
        for step, ends in bands(curve)
    ]
    return write_edition(folder, NAME, summaries, seconds)


def bands(curve: Curve) -> list[tuple[int, dict[str, float]]]:
    """Return mean, lower and upper end at each step; for a single seed, which has no interval, all three are its value."""
    return [
        (
            step,
            {
                MEAN: value.mean,
                LOWER: value.mean if value.low is None else value.low,
                UPPER: value.mean if value.high is None else value.high,
            },
        )
        for step, value in curve
    ]


def categories(shown: list[Series]) -> dict[str, list[str]]:
    """Return the charts by the category in which TensorBoard shows them."""
    charts = list(dict.fromkeys(chart for series in shown for chart in series.curves))
    found = {
        "Accuracy under shifts": [chart for chart in charts if chart == SHIFTS],
        "By setting and size": [chart for chart in charts if chart != SHIFTS and chart not in EPOCHS.values()],
        "By epoch": [chart for chart in charts if chart in EPOCHS.values()],
    }
    return {f"{title}: {HOME}": names for title, names in found.items() if names}
