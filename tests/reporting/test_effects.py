"""Effect sizes and power: laws that random differences keep."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convexp.reporting.effects import small_sample_factor, standardised_difference, superiority
from convexp.reporting.power import MOST, POWER, power, seeds_needed
from convexp.reporting.statistics import t_quantile

differences = st.lists(st.integers(-100, 100).map(lambda x: x / 100), min_size=3, max_size=12)


@pytest.mark.parametrize("n", [3, 4, 6])
@pytest.mark.parametrize("true", [-1.5, 0.0, 0.7])
def test_g_is_unbiased(n, true):
    """Over 40,000 samples of normal differences its mean is the true one; without the correction it is not."""
    drawn = np.random.default_rng(n).normal(true, 1, size=(40_000, n))
    plain = drawn.mean(1) / drawn.std(1, ddof=1)
    found = small_sample_factor(n - 1) * plain
    error = 6 * found.std() / np.sqrt(len(found))
    assert found.mean() == pytest.approx(true, abs=error)
    if true:
        assert abs(plain.mean() - true) > error
    assert [standardised_difference(row) for row in drawn[:20].tolist()] == pytest.approx(found[:20])


def test_the_factor_is_the_table_of_hedges():
    assert [small_sample_factor(m) for m in (2, 10, 50)] == pytest.approx([0.5642, 0.9228, 0.9849], abs=1e-4)


@given(differences, st.floats(0.01, 100))
def test_g_has_no_unit_and_changes_sign_with_the_differences(found, scale):
    effect = standardised_difference(found)
    if effect is None:
        assert len(set(found)) == 1
        return
    assert standardised_difference([scale * d for d in found]) == pytest.approx(effect)
    assert standardised_difference([-d for d in found]) == pytest.approx(-effect)


@given(differences)
def test_of_two_groups_one_is_superior_as_often_as_the_other_is_not(found):
    assert superiority(found) + superiority([-d for d in found]) == pytest.approx(1)
    assert superiority([abs(d) + 0.01 for d in found]) == 1


def test_what_cannot_be_estimated_is_none():
    assert standardised_difference([0.1, 0.2]) is standardised_difference([0.1] * 5) is superiority([]) is None


@pytest.mark.parametrize(("n", "size", "alpha"), [(3, 1.0, 0.05), (5, 0.8, 0.025), (12, 1.0, 0.01), (40, 0.0, 0.05)])
def test_power_is_the_rate_of_rejections(n, size, alpha):
    """Of 40,000 t-tests of normal differences; without a difference it is the level."""
    drawn = np.random.default_rng(n).normal(size, 1, size=(40_000, n))
    t = np.sqrt(n) * drawn.mean(1) / drawn.std(1, ddof=1)
    rate = (np.abs(t) > t_quantile(n - 1, alpha)).mean()
    expected = power(n, 0.02 * size, 0.02, alpha)
    assert rate == pytest.approx(expected, abs=6 * np.sqrt(expected * (1 - expected) / len(drawn)))
    assert power(n, -0.02 * size, 0.02, alpha) == pytest.approx(expected)


@given(st.floats(1e-4, 1), st.floats(1e-4, 0.05))
@settings(deadline=None)
def test_the_seeds_needed_have_the_power_and_one_fewer_has_not(deviation, alpha):
    n = seeds_needed(0.01, deviation, alpha)
    if n is None:
        assert power(MOST, 0.01, deviation, alpha) < POWER
        return
    assert power(n, 0.01, deviation, alpha) >= POWER
    assert n == 3 or power(n - 1, 0.01, deviation, alpha) < POWER


def test_known_sample_sizes():
    """Cohen's d of 0.5 and 0.2 in pairs, two-sided at 5 %: 34 and 199, as in every table."""
    assert (seeds_needed(0.5, 1, 0.05), seeds_needed(0.2, 1, 0.05)) == (34, 199)
    assert seeds_needed(0.01, 1e-12, 1e-5) == 3
    assert seeds_needed(0.01, 100, 0.05) is None


def test_power_grows_with_the_seeds_up_to_one():
    """Also where the other tail is too small to be computed."""
    found = [power(int(n), 0.01, 0.05, 1e-4) for n in np.geomspace(3, MOST, 200)]
    assert all(0 <= a <= b + 1e-9 for a, b in zip(found, found[1:], strict=False))
    assert found[-1] == pytest.approx(1)
