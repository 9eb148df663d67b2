"""The answer of a report in one sentence, with absolute values, the verdicts, and the number of images and seeds."""

from collections import Counter
from collections.abc import Sequence

from convexp.reporting.answer.along import clause_along, main_axis
from convexp.reporting.answer.conditions import COUNTED, SHIFTED, TEST, Condition, conditions
from convexp.reporting.answer.searched import answer_of_search
from convexp.reporting.answer.values import clause, close_together, one_number, values_of
from convexp.reporting.answer.verdict import nothing_shown, verdict_along
from convexp.reporting.answer.wording import listed, seeds
from convexp.reporting.comparison import Comparison
from convexp.reporting.groups import Group
from convexp.reporting.metrics import metric_title
from convexp.reporting.paired import MIN_PAIRS
from convexp.reporting.report import Report
from convexp.terminal.words import plural

SEVERAL = tuple(map(metric_title, COUNTED))  # subjects in the plural: parameters, FLOPs


def answer(report: Report) -> str:
    """Return the answer to the question of a report in one sentence; a word on why there is none if no run has finished."""
    if report.parts:
        runs = plural(sum(g.n for g in report.groups), "finished run")
        return f"{len(report.parts):,} parts, one for each sweep, study or data set, with {runs} in all."
    if report.search and report.search.complete:
        return answer_of_search(report.search)
    if not report.groups:
        states = Counter(str(run.state) for run in report.unfinished)
        return f"No run has finished{': ' if states else ''}{listed([f'{n:,} {state}' for state, n in states.items()])}."
    measured = conditions(report.groups)
    found = [part for condition in measured if (part := _part(report, condition, again=condition is not measured[0]))]
    if not found:
        return f"The {plural(sum(g.n for g in report.groups), 'finished run')} measured nothing on test images."
    text = "; ".join(found)
    return f"{text[0].upper()}{text[1:]} ({_footing(report)})."


def _part(report: Report, condition: Condition, again: bool) -> str:
    """What one metric says: on which images, the values, and the verdict."""
    values = values_of(report.groups, condition.metric)
    if not values:
        return ""
    compared = [c for c in report.comparisons if c.metric == condition.metric]
    along = [c for c in report.along if c.metric == condition.metric]
    axis = main_axis(report.groups)
    if condition.metric == SHIFTED and close_together(values, SHIFTED) and nothing_shown([*compared, *along]):
        return f"{condition.where} {one_number(values, _verb(report.groups))}"
    if axis:
        said = clause_along(report.groups, axis, condition.metric, again)
        said = f"{condition.subject}: {said}" if condition.subject else said
    elif condition.subject:
        said = f"{condition.subject} {clause(values, condition.metric, 'is')}"
        said = said.replace(" is ", " are ", 1) if condition.subject in SEVERAL else said
    else:
        said = clause(values, condition.metric, "reaches" if condition.metric == TEST else _verb(report.groups))
    where = f"{condition.where}{'' if condition.where.startswith('under') else ','} " if condition.where else ""
    return f"{where}{said}{verdict_along(along, compared, again)}"


def _verb(groups: Sequence[Group]) -> str:
    """``falls to`` if every group is worse under shifts than as it is, else ``reaches``."""
    pairs = [(g.metric(TEST), g.metric(SHIFTED)) for g in groups]
    falls = all(before is not None and (after is None or after.mean < before.mean) for before, after in pairs)
    return "falls to" if falls else "reaches"


def _footing(report: Report) -> str:
    """What the answer stands on: seeds, and what is lacking for a verdict."""
    counts = [g.n for g in report.groups]
    if len(counts) == 1:
        return f"{seeds(counts)}; the only configuration, so there is nothing to compare it with"
    return f"{seeds(counts)}{_lacking([*report.comparisons, *report.along])}"


def _lacking(comparisons: Sequence[Comparison]) -> str:
    if not comparisons:
        return "; not compared with a baseline"
    if any(c.p is not None for c in comparisons):
        return ""
    return f"; a verdict needs {MIN_PAIRS} seeds or more"
