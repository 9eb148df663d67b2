"""Paired differences: coverage and false positives by simulation, invariances, Holm by hand."""

import itertools
from fractions import Fraction
from math import factorial, inf, prod, sqrt

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, ttest_1samp

from convexp.reporting.bootstrap import resamples
from convexp.reporting.holm import holm, holm_levels
from convexp.reporting.paired import paired_test

SIMULATIONS = 1500
NORMAL = ("normal", lambda rng, n: rng.normal(size=n))
SKEWED = ("skewed", lambda rng, n: rng.gamma(2, size=n) - 2)  # skewness 1.4
STEPS = ("steps", lambda rng, n: np.round(rng.normal(size=n)))  # as accuracies on few images: many ties

differences = st.lists(st.integers(-1000, 1000).map(lambda v: v / 1000), min_size=2, max_size=9)


def ends(found, alpha=0.05):
    """Of the interval; None where there is none."""
    half = found.half_width(alpha)
    return None if half is None else (found.difference - half, found.difference + half)


def covers(found, value=0, alpha=0.05):
    low, high = ends(found, alpha)
    return low <= value <= high


def sampling_error(share: float) -> float:
    """Five standard errors of a share of the simulations."""
    return 5 * sqrt(share * (1 - share) / SIMULATIONS)


def simulated(name, draw, n):
    rng = np.random.default_rng([n, len(name)])
    return [paired_test(draw(rng, n).tolist()) for _ in range(SIMULATIONS)]


@pytest.mark.parametrize("n", [3, 5, 8])
def test_intervals_of_normal_differences_cover_the_truth_at_least_as_often_as_they_say(n):
    found = simulated(*NORMAL, n)
    covered = np.mean([covers(p) for p in found])
    assert 0.95 - sampling_error(0.95) <= covered <= 0.995  # the bootstrap-t of few values is a little wide
    assert np.mean([p.p < 0.05 for p in found]) <= 0.05 + sampling_error(0.05)


@pytest.mark.parametrize(("n", "least"), [(3, 0.90), (5, 0.95), (8, 0.93)])
def test_intervals_of_skewed_differences_lose_little(n, least):
    """Student's t is all there is for three values, and pays for the skewness; the bootstrap-t is there to take care of it."""
    found = simulated(*SKEWED, n)
    assert np.mean([covers(p) for p in found]) >= least - sampling_error(least)
    assert np.mean([p.p < 0.05 for p in found]) <= 1 - least + sampling_error(1 - least)


@pytest.mark.parametrize("n", [3, 4, 5, 6, 8])
def test_ties_do_not_make_false_positives(n):
    found = simulated(*STEPS, n)
    assert {"sign test"} < {p.method for p in found}
    assert np.mean([p.p < 0.05 for p in found]) <= 0.05 + sampling_error(0.05)


@pytest.mark.parametrize("n", [3, 5, 8])
def test_what_is_there_is_found(n):
    found = paired_test([1 + 0.01 * i for i in range(n)])
    assert found.p < 0.05
    assert ends(found)[0] > 0
    assert found.method == ("Student's t" if n < 5 else "bootstrap-t")


@given(differences, st.floats(1e-4, 0.05))
def test_of_three_it_is_students(ds, alpha):
    assume(len(ds) > 2 and len(set(ds[:3])) > 1)
    ds = ds[:3]
    found = paired_test(ds)
    reference = ttest_1samp(ds, 0)
    interval = reference.confidence_interval(1 - alpha)
    assert found.p == pytest.approx(reference.pvalue, abs=1e-9)
    assert ends(found, alpha) == pytest.approx((interval.low, interval.high), rel=1e-6)


@pytest.mark.parametrize("ds", [[0.5], [0.5, 0.5], [0.5, 0.501], []])
def test_fewer_than_three_pairs_show_nothing(ds):
    """Not even those that are far from zero and close together: of n = 2 that is one number, which may be an accident."""
    found = paired_test(ds)
    assert (found.p, found.half_width()) == (None, None)
    assert found.difference == (pytest.approx(sum(ds) / len(ds)) if ds else None)


@pytest.mark.parametrize(("n", "p"), [(3, 0.25), (5, 1 / 16), (6, 1 / 32), (10, 2 / 1024)])
def test_equal_differences_are_no_certainty(n, p):
    found = paired_test([0.97 - 0.96] * n)
    assert (found.method, found.half_width()) == ("sign test", None)
    assert found.p == pytest.approx(p)
    noisy = [0.97 - 0.96, 0.96 - 0.95, *[0.95 - 0.94] * (n - 2)]  # the same but for rounding
    assert paired_test(noisy).p == pytest.approx(p)


@pytest.mark.parametrize("n", [5, 6, 7, 8])
@pytest.mark.parametrize("unchanged", [0.3, 0.5, 0.7])
def test_differences_of_one_image_or_none_are_seldom_seen_where_there_is_none(n, unchanged):
    """All cases enumerated: an image more, one less, or as many, with probabilities that are the same for both signs."""
    shares = {-0.001: (1 - unchanged) / 2, 0.0: unchanged, 0.001: (1 - unchanged) / 2}
    seen = 0.0
    for values in itertools.combinations_with_replacement(shares, n):
        counts = [values.count(value) for value in shares]
        orders = factorial(n) // prod(map(factorial, counts))
        seen += (paired_test(values).p < 0.05) * orders * prod(shares[value] for value in values)
    assert seen <= 0.05


def test_no_difference_at_all_is_no_difference():
    assert (paired_test([0.0] * 8).difference, paired_test([0.0] * 8).p) == (0.0, 1.0)


@given(st.permutations([0, 6, 8, 8, 5]) | st.permutations([1, 4, 3, 6, 1]) | st.permutations([-1, -2, 1, -2, 4]))
@settings(deadline=None, max_examples=20)
def test_p_is_the_exact_one_in_any_order(counts):
    """By fractions: accuracies come in steps of one image, so that many resamples tie with what was observed."""
    n, centre = len(counts), Fraction(sum(counts), len(counts))

    def squared_t(values, away):
        mean = Fraction(sum(values), n)
        variance = sum((v - mean) ** 2 for v in values) / (n - 1)
        return inf if variance == 0 else n * (mean - away) ** 2 / variance

    observed = squared_t([Fraction(c) for c in counts], 0)
    drawn = [squared_t([Fraction(counts[i]) for i in rows], centre) for rows in itertools.product(range(n), repeat=n)]
    exact = sum(t >= observed for t in drawn) / len(drawn)
    assert paired_test([c / 360 for c in counts]).p == pytest.approx(exact, abs=1e-12)


@given(st.integers(5, 9), st.sampled_from([-0.01, 0.01]), st.sampled_from([-0.01, 0.0, 0.01]))
def test_sign_test_is_the_exact_one(n, most, last):
    ds = [*[most] * (n - 1), last]  # too few different values for a bootstrap
    found = paired_test(ds)
    assert found.method == "sign test"
    above, below = sum(d > 0 for d in ds), sum(d < 0 for d in ds)
    assert found.p == pytest.approx(binomtest(above, above + below).pvalue)


@given(differences, st.integers(-8, 8), st.booleans())
@settings(deadline=None)
def test_unit_and_side_do_not_matter(ds, power, swap):
    """Scale: interval and difference scale, p and method stay. Swapping the sides turns the sign of all."""
    scale = (-1 if swap else 1) * 2.0**power
    before, after = paired_test(ds), paired_test([scale * d for d in ds])
    assert (after.method, after.n) == (before.method, before.n)
    assert after.p == before.p
    assert after.difference == pytest.approx(scale * before.difference)
    if ends(before) is None:
        assert ends(after) is None
    else:
        assert sorted(ends(after)) == pytest.approx(sorted(scale * end for end in ends(before)))


@given(differences, st.integers(-4, 4))
@settings(deadline=None)
def test_a_shift_of_all_differences_shifts_the_interval(ds, by):
    before, after = paired_test(ds), paired_test([d + by for d in ds])
    if ends(before) and ends(after) and before.method == after.method:
        assert [end - by for end in ends(after)] == pytest.approx(ends(before), abs=1e-9)


@given(differences, st.randoms())
@settings(deadline=None)
def test_order_does_not_matter_to_enumerated_resamples(ds, rng):
    ds = ds[:6]
    other = rng.sample(ds, len(ds))
    assert paired_test(other).p == pytest.approx(paired_test(ds).p, abs=0.02)
    assert paired_test(other).method == paired_test(ds).method


@given(differences, st.floats(1e-6, 0.05))
@settings(deadline=None)
def test_an_interval_leaves_out_zero_just_where_p_is_below_its_alpha(ds, alpha):
    found = paired_test(ds)
    if found.half_width(alpha) is not None:
        assert covers(found, 0, alpha) == (found.p >= alpha)


def test_same_differences_have_the_same_interval_every_time():
    ds = np.random.default_rng(0).normal(size=12).tolist()
    first = paired_test(ds)
    resamples.cache_clear()
    again = paired_test(ds)
    assert again == first
    assert again.half_width(0.01) == first.half_width(0.01)


@pytest.mark.parametrize("n", [2, 3, 4, 5])
def test_all_resamples_are_enumerated(n):
    counts = resamples(n)
    assert counts.shape == (n**n, n)
    assert (counts.sum(axis=1) == n).all()
    assert (counts.max(axis=1) == n).sum() == n  # of one value alone
    assert (counts.sum(axis=0) == n**n).all()


def test_many_values_are_resampled_in_parts():
    ds = np.random.default_rng(0).normal(0.1, 1, size=500).tolist()
    found = paired_test(ds)
    assert found.method == "bootstrap-t"
    reference = ttest_1samp(ds, 0).confidence_interval(0.95)  # of so many values Student's t is right
    assert ends(found) == pytest.approx((reference.low, reference.high), abs=0.01)


def test_holm_by_hand():
    # Sorted 0.01, 0.02, 0.03, 0.04; times 4, 3, 2, 1: 0.04, 0.06, 0.06, 0.04; none below a smaller one's: the last is 0.06.
    assert holm([0.03, None, 0.01, 0.04, 0.02]) == pytest.approx([0.06, None, 0.04, 0.06, 0.06])
    assert holm([0.6, 0.5]) == [1.0, 1.0]
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), max_size=12))
def test_holm_is_between_the_p_and_bonferronis(ps):
    adjusted = holm(ps)
    order = sorted(range(len(ps)), key=lambda i: ps[i])
    assert all(ps[i] <= adjusted[i] <= min(1, len(ps) * ps[i]) for i in order)
    assert [adjusted[i] for i in order] == sorted(adjusted)


@given(st.lists(st.none() | st.floats(0, 1) | st.floats(0, 0.05), max_size=12))
def test_holms_levels_are_those_that_the_corrected_p_stands_for(ps):
    levels = holm_levels(ps)
    assert all(0.05 / max(1, len(ps)) <= level <= 0.05 for level in levels)
    for p, adjusted, level in zip(ps, holm(ps), levels, strict=True):
        if p is not None and abs(adjusted - 0.05) > 1e-12:
            assert (p < level) == (adjusted < 0.05)


def test_holms_levels_by_hand():
    # Sorted 0.01, 0.02, 0.03, 0.04 against 0.05 / 4, / 3: the second is not below it, and none after it is looked at.
    assert holm_levels([0.03, None, 0.01, 0.04, 0.02]) == pytest.approx([0.05 / 3, 0.05 / 4, 0.05 / 4, 0.05 / 3, 0.05 / 3])
    assert holm_levels([0.001, 0.002]) == [0.025, 0.05]
    assert holm_levels([]) == []
