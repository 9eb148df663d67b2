"""The number that a claim is about, seed by seed, and its interval."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isfinite

from convexp.config.schema.claim import MEMBERS, Claim, Exponent, Settings
from convexp.records.settings import differing
from convexp.records.values import same_value, unique
from convexp.reporting.claims.exponents import exponent
from convexp.reporting.claims.results import Result
from convexp.reporting.metrics import average_of
from convexp.reporting.paired import MIN_PAIRS, are_equal, paired_test
from convexp.reporting.pairs import differences
from convexp.reporting.statistics import ALPHA

OF_ENSEMBLES = (MEMBERS, "mean_of")  # settings that no run has


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
        of: The numbers of the group, at 95 %, and of the pairs alone, if there are two groups.
        minus: Those of the group that it is compared with, of the same pairs, at 95 %.
        number: What the claim is about, at the level ``1 - 0.05 / cases`` (Bonferroni): the paired differences of the two, or
            the numbers of the group if there is only one.
        seeds: Number of seeds, or of pairs, that have runs; more than those of ``number`` if some gave no number.
        free: Settings in which runs differ although the claim does not name them. Which of these runs it is about is not
            known, so that there are no numbers.
    """

    case: Settings
    of: Interval | None
    minus: Interval | None
    number: Interval | None
    seeds: int = 0
    free: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether every seed that has runs gave one number: what is left of them would be chosen by its outcome."""
        return not self.free and self.seeds == (self.number.n if self.number else 0)


def measure(claim: Claim, runs: Sequence[Result], planned: Sequence[Settings] = ()) -> list[Measured]:
    """Return what was measured in each case of a claim.

    Args:
        claim: The claim.
        runs: The finished runs of its study, or the ensembles of them.
        planned: The settings of all runs of the study. A seed gives an exponent only if it has each size and number of samples.
    """
    runs = [run for run in runs if (MEMBERS in run.settings) == claim.is_about_ensembles]
    if claim.is_about_ensembles:  # each kind is to be there of all runs
        kinds = [{name: run.settings[name] for name in OF_ENSEMBLES if name in run.settings} for run in runs]
        planned = [settings | kind for settings in planned for kind in unique(kinds)]
    return [_measured(claim, case, runs, planned, ALPHA / len(claim.cases)) for case in claim.cases]


def _measured(claim: Claim, case: Settings, runs: Sequence[Result], planned: Sequence[Settings], alpha: float) -> Measured:
    def is_of(settings: Settings) -> bool:
        return _has(settings, claim.of | case)

    def is_minus(settings: Settings) -> bool:
        return claim.minus is not None and _has(settings, claim.minus) and _has(settings, _known(case, settings))

    chosen, others = ([run for run in runs if belongs(run.settings)] for belongs in (is_of, is_minus))
    if free := tuple(dict.fromkeys([*_free(claim, chosen), *_free(claim, others)])):
        return Measured(case, None, None, None, free=free)
    of, minus = _numbers(claim, chosen, filter(is_of, planned)), _numbers(claim, others, filter(is_minus, planned))
    if claim.minus is None:
        number = level(claim, _found(of.values()), alpha)
        return Measured(case, number, None, number, len(of))
    pairs = [(of[key], minus[key]) for key in of if key in minus]
    whole = [(a, b) for a, b in pairs if a is not None and b is not None]
    one, other = (level(claim, values) for values in ([a for a, _ in whole], [b for _, b in whole]))
    return Measured(case, one, other, difference(differences(whole), alpha), len(pairs))


def level(claim: Claim, values: Sequence[float], alpha: float = ALPHA) -> Interval | None:
    """Return the mean of the numbers of a group as a report has it; that of exponents as ``difference`` has it."""
    if not values or claim.exponent is not None:
        return difference(values, alpha)
    found = average_of(claim.metric)(values, alpha)
    return Interval(found.n, found.mean, found.low, found.high)


def difference(values: Sequence[float], alpha: float = ALPHA) -> Interval | None:
    """Return the mean with its interval: bootstrap-t over seeds from five on, Student's t for three and four, else none.

    Of equal values, three and more, the interval has no width (``verdict`` says from how many on they count).
    """
    if not values:
        return None
    test = paired_test(values)
    half_width = test.half_width(alpha)
    assert test.difference is not None
    if are_equal(values) and test.n >= MIN_PAIRS:
        half_width = 0.0
    if half_width is None:
        return Interval(test.n, test.difference, None, None)
    return Interval(test.n, test.difference, test.difference - half_width, test.difference + half_width)


def _numbers(claim: Claim, runs: Sequence[Result], planned: Iterable[Settings]) -> dict[tuple[int, str], float | None]:
    """The number of each seed, and of its images if what is compared has the same ones; None for a seed that gave none."""
    if claim.exponent is None:
        return {(run.seed, run.images if _same_images(claim) else ""): _value(claim, run) for run in runs}
    points = {_at(claim, settings) for settings in (*planned, *(run.settings for run in runs))}
    seeds = {seed: [run for run in runs if run.seed == seed] for seed in sorted({run.seed for run in runs})}
    return {
        (seed, ""): _exponent(claim, claim.exponent, its) if len(its) == len(points) else None for seed, its in seeds.items()
    }


def _exponent(claim: Claim, of: Exponent, runs: Sequence[Result]) -> float | None:
    return None if any(_value(claim, run) is None for run in runs) else exponent(runs, claim.metric, of)


def _value(claim: Claim, run: Result) -> float | None:
    value = run.metrics.get(claim.metric)
    return value if value is not None and isfinite(value) else None


def _found(numbers: Iterable[float | None]) -> list[float]:
    return [number for number in numbers if number is not None]


def _free(claim: Claim, runs: Sequence[Result]) -> list[str]:
    """Settings in which runs differ, for an exponent those of one size and one number of samples."""
    alike: dict[str, list[Result]] = {}
    for run in runs:
        alike.setdefault(_at(claim, run.settings), []).append(run)
    if found := [name for its in alike.values() for name in differing(run.settings for run in its)]:
        return found
    is_twice = any(len({run.seed for run in its}) < len(its) for its in alike.values())
    return ["no setting that the study varies"] if is_twice else []


def _at(claim: Claim, settings: Settings) -> str:
    """The size and the number of samples of a run, if a claim is about an exponent."""
    named = (claim.exponent.size, claim.exponent.samples) if claim.exponent else ()
    return repr([settings.get(name) for name in named])


def _known(case: Settings, settings: Settings) -> Settings:
    """What of a case the settings of a run have."""
    return {name: value for name, value in case.items() if name in settings}


def _has(settings: Settings, wanted: Settings) -> bool:
    return all(name in settings and same_value(settings[name], value) for name, value in wanted.items())


def _same_images(claim: Claim) -> bool:
    """Whether the two groups of a claim have the same data: runs that have not are no pair."""
    minus = claim.minus or {}
    differing = [name for name in {**claim.of, **minus} if not same_value(claim.of.get(name), minus.get(name))]
    return not any(name == "data" or name.startswith("data.") for name in differing)
