import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t as student

from convexp.reporting.statistics import mean, t_inside, t_quantile

values = st.lists(st.floats(0, 1), min_size=2, max_size=60)


@given(values)
def test_interval_is_students(xs):
    ours = mean(xs)
    assert ours.n == len(xs)
    assert ours.mean == pytest.approx(np.mean(xs))
    assert ours.deviation == pytest.approx(np.std(xs, ddof=1), abs=1e-12)
    expected = student.ppf(0.975, len(xs) - 1) * np.std(xs, ddof=1) / len(xs) ** 0.5
    assert ours.half_width == pytest.approx(expected, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 9, 30, 31, 100, 999])
def test_quantiles_of_t_are_exact(freedom):
    assert t_quantile(freedom) == pytest.approx(student.ppf(0.975, freedom), rel=1e-10)


@given(st.floats(0, 50), st.integers(1, 60))
def test_distribution_of_t_is_exact(t, freedom):
    assert t_inside(t, freedom) == pytest.approx(1 - 2 * student.sf(t, freedom), abs=1e-12)


def test_one_value_has_no_interval_and_none_is_an_error():
    assert mean([0.5]).half_width is None
    with pytest.raises(ValueError, match="no values"):
        mean([])


def test_equal_values_have_an_interval_of_nothing():
    assert mean([0.25, 0.25, 0.25]).half_width == 0
