"""The verdicts on the first screen of a page."""

from convexp.reporting.answer.conditions import SHIFTED, TEST
from convexp.reporting.formatting import short_setting
from convexp.reporting.metrics import metric_title
from convexp.reporting.report import Report
from convexp.reporting.step_verdicts import step_verdicts
from convexp.reporting.verdicts import Verdict, verdicts

MAX_VERDICTS = 4  # on the first screen


def all_verdicts(report: Report) -> list[tuple[str, Verdict]]:
    """Return the verdicts with their titles, those along an axis of the study first."""
    along = [(f"{metric_title(v.metric)} along {short_setting(axis)}", v) for axis, v in step_verdicts(report.along)]
    return [*along, *((metric_title(v.metric), v) for v in verdicts(report.comparisons))]


def first_verdicts(said: list[tuple[str, Verdict]]) -> list[tuple[str, Verdict]]:
    """Return all verdicts if they are few, otherwise those on accuracy as it is and under shifts, or else the first."""
    chosen = [each for each in said if each[1].metric in (TEST, SHIFTED)]
    return said if len(said) <= MAX_VERDICTS else (chosen or said)[:MAX_VERDICTS]
