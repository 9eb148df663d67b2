"""The number that a claim is about, seed by seed, and its interval."""

from collections.abc import Sequence
from dataclasses import dataclass

from convexp.config.schema.claim import Claim, Settings
from convexp.reporting.claims.exponents import exponent
from convexp.reporting.claims.results import Result
from convexp.reporting.metrics import is_proportion
from convexp.reporting.paired import paired_test
from convexp.reporting.statistics import ALPHA, mean, mean_proportion


@dataclass(frozen=True)
class Interval:
    """The mean of a number over seeds.

    Attributes:
        n: Number of seeds.
        mean: The mean.
        low: Lower end of its confidence interval; None if there is none.
        high: Upper end.
    """

    n: int
    mean: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Measured:
    """A claim in one of its cases. Each interval is None if there are no runs of it.

    Attributes:
        case: The settings of the case.
        of: The numbers of the group, at 95 %.
        minus: Those of the group that it is compared with.
        number: What the claim is about, at the level ``1 - 0.05 / cases`` (Bonferroni): the paired differences of the two, or
            the numbers of the group if there is only one.
    """

    case: Settings
    of: Interval | None
    minus: Interval | None
    number: Interval | None


def measure(claim: Claim, runs: Sequence[Result]) -> list[Measured]:
    """Return what was measured in each case of a claim, from the runs of its study."""
    return [_measured(claim, case, runs, ALPHA / len(claim.cases)) for case in claim.cases]


def _measured(claim: Claim, case: Settings, runs: Sequence[Result], alpha: float) -> Measured:
    of = _numbers(claim, [run for run in runs if _has(run, claim.of | case)])
    if claim.minus is None:
        values = list(of.values())
        return Measured(case, level(claim, values), None, level(claim, values, alpha))
    compared = [
        run for run in runs if _has(run, claim.minus) and _has(run, {k: v for k, v in case.items() if k in run.settings})
    ]
    minus = _numbers(claim, compared)
    differences = [of[key] - minus[key] for key in of if key in minus]
    return Measured(case, level(claim, list(of.values())), level(claim, list(minus.values())), difference(differences, alpha))


def level(claim: Claim, values: Sequence[float], alpha: float = ALPHA) -> Interval | None:
    """Return the mean of the numbers of a group as a report has it; that of exponents as ``difference`` has it."""
    if not values or claim.exponent is not None:
        return difference(values, alpha)
    found = (mean_proportion if is_proportion(claim.metric) else mean)(values, alpha)
    return Interval(found.n, found.mean, found.low, found.high)


def difference(values: Sequence[float], alpha: float = ALPHA) -> Interval | None:
    """Return the mean with its interval: bootstrap-t over seeds from five on, Student's t for three and four, else none."""
    if not values:
        return None
    test = paired_test(values)
    half_width = test.half_width(alpha)
    assert test.difference is not None
    if half_width is None:
        return Interval(test.n, test.difference, None, None)
    return Interval(test.n, test.difference, test.difference - half_width, test.difference + half_width)


def _numbers(claim: Claim, runs: Sequence[Result]) -> dict[tuple[int, str], float]:
    """The number of each seed, and of each set of images if what is compared has the same ones."""
    found = [run for run in runs if claim.metric in run.metrics]
    if claim.exponent is None:
        return {(run.seed, run.images if _same_images(claim) else ""): run.metrics[claim.metric] for run in found}
    seeds = {seed: [run for run in found if run.seed == seed] for seed in sorted({run.seed for run in found})}
    slopes = {(seed, ""): exponent(its, claim.metric, claim.exponent) for seed, its in seeds.items()}
    return {key: value for key, value in slopes.items() if value is not None}


def _has(run: Result, settings: Settings) -> bool:
    return all(name in run.settings and run.settings[name] == value for name, value in settings.items())


def _same_images(claim: Claim) -> bool:
    """Whether the two groups of a claim have the same data: runs that have not are no pair."""
    minus = claim.minus or {}
    differing = [name for name in {**claim.of, **minus} if claim.of.get(name) != minus.get(name)]
    return not any(name == "data" or name.startswith("data.") for name in differing)
