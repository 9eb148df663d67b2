"""A row of text for each claim: what it says, what was published, what we have measured, and the verdict."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from convexp.config.schema.claim import Claim
from convexp.config.validated import validated
from convexp.errors import ConfigError
from convexp.records.settings import printable
from convexp.reporting.claims.measure import Interval, Measured, measure
from convexp.reporting.claims.results import Result, results_of
from convexp.reporting.claims.verdict import case_text, verdict
from convexp.reporting.formatting import MISSING, format_difference, format_number
from convexp.reporting.groups import Group
from convexp.reporting.metrics import is_percentage

TITLES = ("paper", "claim", "published", "ours", "verdict")
CLAIM_CAPTION = (
    "ours: mean and 95 % interval over n seeds; differences between runs of the same seed, those of a claim with several cases "
    "with intervals that hold together; a claim holds if its interval lies within what it says, and does not hold if outside"
)


@dataclass(frozen=True)
class ClaimRow:
    """A claim with what was measured.

    Attributes:
        claim: The claim.
        ours: A line for each of its cases that were run.
        verdict: What follows.
    """

    claim: Claim
    ours: list[str]
    verdict: str

    @property
    def cells(self) -> list[str]:
        """The cells of a table with the columns ``TITLES``; lines within a cell are separated by ``\\n``."""
        claim = self.claim
        source = f"{claim.paper}, arXiv {claim.arxiv}, {claim.where} ({claim.known_from})"
        said = [printable(text) for text in (source, claim.says, claim.published or MISSING)]
        return [*said, "\n".join(self.ours) or MISSING, self.verdict]


def claim_rows(claims: Sequence[Claim], runs: Sequence[Result]) -> list[ClaimRow]:
    """Return a row for each claim on the runs of one study."""
    return [_row(claim, measure(claim, runs)) for claim in claims]


def read_claims(given: Sequence[dict[str, Any]], groups: Sequence[Group]) -> tuple[list[ClaimRow], list[str]]:
    """Return the rows of the claims that the plan of a study has, and a warning for each that is wrong.

    Args:
        given: The claims as they are in the plan.
        groups: The groups of the study's runs.
    """
    claims: list[Claim] = []
    warnings: list[str] = []
    for number, each in enumerate(given):
        try:
            claims.append(validated(Claim, each, f"study.claims.{number}"))
        except ConfigError as error:
            warnings.append(f"a claim is left out: {error}")
    return claim_rows(claims, results_of(groups)), warnings


def _row(claim: Claim, measured: Sequence[Measured]) -> ClaimRow:
    return ClaimRow(claim, [_line(claim, each) for each in measured if each.of or each.minus], verdict(claim, measured))


def _line(claim: Claim, measured: Measured) -> str:
    """``shift.train=0.2: 92.5 (90.2 to 94.8) against 91.6 (91.0 to 92.2), difference +0.9 (−0.4 to +2.2), n = 3``."""
    case, number = case_text(measured.case), measured.number
    start = f"{case}: " if case else ""
    if claim.minus is None:
        return f"{start}{_level(claim, measured.of)}, n = {measured.of.n if measured.of else 0}"
    both = f"{start}{_level(claim, measured.of)} against {_level(claim, measured.minus)}"
    return f"{both}, difference {_difference(claim, number)}, n = {number.n}" if number else f"{both}, no pairs of runs"


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
