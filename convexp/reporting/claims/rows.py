"""A row of text for each claim: what it says, what was published, what we have measured, and the verdict."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from convexp.config.schema.claim import Claim, Settings
from convexp.config.validated import validated
from convexp.errors import ConfigError
from convexp.records.ensembles import EnsembleRecord
from convexp.records.plan import Plan, single_settings
from convexp.records.settings import printable
from convexp.reporting.claims.measure import Interval, Measured, measure
from convexp.reporting.claims.results import Result, results_of, results_of_ensembles
from convexp.reporting.claims.verdict import case_text, verdict
from convexp.reporting.formatting import MISSING, format_difference, format_number
from convexp.reporting.groups import Group
from convexp.reporting.metrics import is_percentage, metric_title

TITLES = ("paper", "claim", "published", "ours", "verdict")
CLAIM_CAPTION = (
    "ours: mean and interval over n seeds, of 95 % for all cases of a claim together, and of 95 % for each of two groups "
    "that are compared; differences are between runs of the same seed; a claim holds if its interval lies within what it says, "
    "and does not hold if outside"
)


@dataclass(frozen=True)
class ClaimRow:
    """A claim with what was measured.

    Attributes:
        claim: The claim.
        ours: A line for each of its cases that were run.
        verdict: What follows.
        undecided: Those lines of ``ours`` that say why a case cannot be decided from these runs.
    """

    claim: Claim
    ours: list[str]
    verdict: str
    undecided: list[str] = field(default_factory=list[str])

    @property
    def cells(self) -> list[str]:
        """The cells of a table with the columns ``TITLES``; lines within a cell are separated by ``\\n``."""
        claim = self.claim
        source = f"{claim.paper}, arXiv {claim.arxiv}, {claim.where} ({claim.known_from})"
        source, says, published = map(printable, (source, claim.says, claim.published or MISSING))
        return [source, f"{says} {condition(claim)}", published, "\n".join(self.ours) or MISSING, self.verdict]


def claim_rows(claims: Sequence[Claim], runs: Sequence[Result], planned: Sequence[Settings] = ()) -> list[ClaimRow]:
    """Return a row for each claim on the finished runs of one study, of which ``planned`` are the settings of all runs."""
    return [_row(claim, measure(claim, runs, planned)) for claim in claims]


def read_claims(
    plan: Plan, groups: Sequence[Group], ensembles: Iterable[EnsembleRecord] = ()
) -> tuple[list[ClaimRow], list[str]]:
    """Return the rows of the claims that the plan of a study has, and a warning for each that is wrong.

    Args:
        plan: The plan.
        groups: The groups of the study's runs.
        ensembles: Ensembles of these runs.
    """
    claims: list[Claim] = []
    warnings: list[str] = []
    for number, each in enumerate(plan.claims):
        try:
            claims.append(validated(Claim, each, f"study.claims.{number}"))
        except ConfigError as error:
            warnings.append(f"a claim is left out: {error}")
    planned = [single_settings(run.point) for run in plan.runs]
    rows = claim_rows(claims, [*results_of(groups), *results_of_ensembles(ensembles, groups)], planned)
    return rows, [*warnings, *(f"a claim of {row.claim.paper}: {line}" for row in rows for line in row.undecided)]


def condition(claim: Claim) -> str:
    """Return the range that decides a claim: ``Holds if the difference in test accuracy is above −1 points.``"""
    number = "exponent" if claim.exponent else metric_title(claim.metric)
    what = number if claim.minus is None else f"difference in {number}"
    percentage = is_percentage(claim.metric) and not claim.exponent
    low, high = (f"{100 * end if percentage else end:.6g}".replace("-", "−") for end in claim.range)
    where = f"between {low} and {high}" if claim.within else f"below {high}" if claim.above is None else f"above {low}"
    unit = "" if not percentage else " %" if claim.minus is None else " points"
    return f"Holds if the {what} is {where}{unit}."


def _row(claim: Claim, measured: Sequence[Measured]) -> ClaimRow:
    shown = [each for each in measured if each.of or each.minus or not each.is_whole]
    undecided = [_line(claim, each) for each in shown if each.free]
    return ClaimRow(claim, [_line(claim, each) for each in shown], verdict(claim, measured), undecided)


def _line(claim: Claim, measured: Measured) -> str:
    """``shift.train=0.2: 92.5 (90.2 to 94.8) against 91.6 (91.0 to 92.2), difference +0.9 (−0.4 to +2.2), n = 3``."""
    case, number = case_text(measured.case), measured.number
    start = f"{case}: " if case else ""
    if measured.free:
        return f"{start}several runs that it may mean, which differ in {', '.join(map(printable, measured.free))}"
    n = f"n = {number.n if number else 0}"
    if not measured.is_whole:
        n += f" of {measured.seeds}; the other seeds gave no {'exponent' if claim.exponent else 'number'}"
    if claim.minus is None:
        return f"{start}{_level(claim, number)}, {n}"
    both = f"{start}{_level(claim, measured.of)} against {_level(claim, measured.minus)}"
    if number is None:
        return f"{both}, {n if measured.seeds else 'no pairs of runs'}"
    return f"{both}, difference {_difference(claim, number)}, {n}"


def _level(claim: Claim, found: Interval | None) -> str:
    if found is None:
        return MISSING
    text = [_number(claim, value) for value in (found.mean, found.low, found.high) if value is not None]
    return text[0] if len(text) == 1 or found.low == found.high else f"{text[0]} ({text[1]} to {text[2]})"


def _number(claim: Claim, value: float) -> str:
    if claim.exponent:
        return f"{value:.2f}".replace("-", "−")
    return f"{100 * value:.1f}" if is_percentage(claim.metric) else format_number(value)


def _difference(claim: Claim, found: Interval) -> str:
    metric = "" if claim.exponent else claim.metric  # an exponent is no percentage
    text = [format_difference(value, metric) for value in (found.mean, found.low, found.high) if value is not None]
    return text[0] if len(text) == 1 else f"{text[0]} ({text[1]} to {text[2]})"
