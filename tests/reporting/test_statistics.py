import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t as student

from convexp.reporting.statistics import mean, mean_proportion, t_central_probability, t_quantile

values = st.lists(st.floats(0, 1), min_size=2, max_size=60)


@given(values)
def test_interval_is_students(xs):
    ours = mean(xs)
    assert ours.n == len(xs)
    assert ours.mean == pytest.approx(np.mean(xs))
    assert ours.deviation == pytest.approx(np.std(xs, ddof=1), abs=1e-12)
    expected = student.ppf(0.975, len(xs) - 1) * np.std(xs, ddof=1) / len(xs) ** 0.5
    assert ours.high - ours.mean == pytest.approx(expected, rel=1e-6, abs=1e-12)
    assert ours.mean - ours.low == pytest.approx(expected, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 9, 30, 31, 100, 999])
@pytest.mark.parametrize("alpha", [0.05, 0.01, 1e-4])
def test_quantiles_of_t_are_exact(freedom, alpha):
    assert t_quantile(freedom, alpha) == pytest.approx(student.ppf(1 - alpha / 2, freedom), rel=1e-8)


@given(values)
def test_the_interval_of_a_share_is_students_of_its_log_odds_and_stays_in_0_to_1(xs):
    ours, plain = mean_proportion(xs), mean(xs)
    assert (ours.mean, ours.deviation, ours.n) == (plain.mean, plain.deviation, plain.n)
    assert 0 <= ours.low <= ours.mean <= ours.high <= 1
    if ours.low > 1e-6 and ours.high < 1 - 1e-6 and plain.deviation:
        centre, low, high = (np.log(x / (1 - x)) for x in (ours.mean, ours.low, ours.high))
        half = (plain.high - plain.mean) / (ours.mean * (1 - ours.mean))
        assert (centre - low, high - centre) == pytest.approx((half, half), rel=1e-4)


@given(values)
def test_a_share_and_what_is_left_of_it_have_one_interval(xs):
    one, other = mean_proportion(xs), mean_proportion([1 - x for x in xs])
    assert (1 - other.high, 1 - other.low) == pytest.approx((one.low, one.high), abs=1e-6)


@pytest.mark.parametrize(
    "xs", [[0.97, 0.99], [0.999, 1.0, 1.0], [0.0, 1.0], [1.0, 1 - 1e-16], [5e-324, 0.0], [0.0, 0.0, 1e-300]]
)
def test_shares_at_the_edge_have_an_interval_too(xs):
    ours = mean_proportion(xs)
    assert 0 <= ours.low <= ours.mean <= ours.high <= 1


def test_what_is_no_share_is_averaged_as_a_number():
    assert mean_proportion([0.5, 1.5, 0.7]) == mean([0.5, 1.5, 0.7])


@pytest.mark.parametrize(("true", "deviation"), [(0.5, 0.1), (0.97, 0.02), (0.99, 0.008), (0.2, 0.15)])
@pytest.mark.parametrize("n", [2, 3, 5])
def test_intervals_of_shares_cover_the_truth_as_often_as_they_say(true, deviation, n):
    """Seeds whose accuracies follow a beta distribution. Student's t of the accuracies themselves covers it less often."""
    draws, concentration = 4000, true * (1 - true) / deviation**2 - 1
    xs = np.random.default_rng(n).beta(true * concentration, (1 - true) * concentration, size=(draws, n))
    covered, plain = (
        np.mean([m.low <= true <= m.high for m in map(average, xs.tolist())]) for average in (mean_proportion, mean)
    )
    error = 5 * (0.05 * 0.95 / draws) ** 0.5
    assert 0.94 - error <= covered <= 0.95 + error
    assert 0.90 - error <= plain <= covered + 0.01


@given(st.floats(0, 50), st.integers(1, 60))
def test_distribution_of_t_is_exact(t, freedom):
    assert t_central_probability(t, freedom) == pytest.approx(1 - 2 * student.sf(t, freedom), abs=2e-9)  # as scipy is near 0


def test_one_value_has_no_interval_and_none_is_an_error():
    assert (mean([0.5]).low, mean_proportion([0.5]).high) == (None, None)
    with pytest.raises(ValueError, match="no values"):
        mean([])


def test_equal_values_have_an_interval_of_nothing():
    assert mean([0.1, 0.1, 0.1]).all_equal
    assert mean_proportion([1.0, 1.0]).all_equal
    assert not mean([0.1, 0.2]).all_equal
    assert not mean([0.1]).all_equal
