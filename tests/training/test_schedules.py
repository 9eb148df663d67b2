"""Schedules of the learning rate by their formulas."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from convexp.training.schedules import step


@given(st.integers(2, 200), st.data())
def test_a_milestone_comes_when_its_share_of_the_steps_is_done(total, data):
    """Also where the product of share and number is not the whole number that it should be, as in 0.28 * 25."""
    done = data.draw(st.integers(1, total - 1))
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    schedule = step(optimizer, total, [done / total], 0.5)
    rates = [schedule.base_lrs[0] * schedule.lr_lambdas[0](s) for s in range(total)]
    assert rates == [1.0] * done + [0.5] * (total - done)


def test_a_decimal_share_is_exact():
    schedule = step(torch.optim.SGD([torch.zeros(1)], lr=1.0), 25, [0.28], 0.1)
    assert [schedule.lr_lambdas[0](s) for s in (6, 7)] == [1.0, pytest.approx(0.1)]
