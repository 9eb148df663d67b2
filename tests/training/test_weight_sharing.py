"""Weight-sharing regularisation: the laws of its proximal step, and the optimizer that takes it."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from torch import nn

from convexp.training.weight_sharing import WeightSharingSGD, pull_together, sharing_penalty

NUMBERS = st.floats(-2, 2)
WEIGHTS = st.lists(NUMBERS, min_size=1, max_size=12).map(lambda values: torch.tensor(values, dtype=torch.float64))
STRENGTHS = st.floats(0, 3)


def pairs(weights):
    """The penalty as it is written, over all pairs."""
    return float((weights[:, None] - weights).abs().sum()) / 2 / max(1, len(weights) - 1)


def close(a, b):
    torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-9)


@given(WEIGHTS)
def test_the_penalty_is_the_sum_over_all_pairs(weights):
    assert float(sharing_penalty(weights)) == pytest.approx(pairs(weights), abs=1e-9)


@given(WEIGHTS, STRENGTHS, st.lists(NUMBERS, min_size=12, max_size=12))
def test_no_other_weights_have_a_smaller_objective(weights, t, direction):
    """The objective is convex: what is a minimum nearby is one everywhere."""

    def objective(x):
        return 0.5 * float((x - weights).square().sum()) + t * pairs(x)

    found = pull_together(weights, t)
    least = objective(found)
    anywhere = torch.tensor(direction, dtype=torch.float64)[: len(weights)]
    for move in (anywhere, weights - found, weights.mean() - found, torch.eye(len(weights), dtype=torch.float64)[0]):
        for size in (-1e-1, -1e-3, 1e-3, 1e-1):
            assert objective(found + size * move) >= least - 1e-9


@pytest.mark.parametrize("t", [0.1, 0.5, 1.5])
def test_a_numeric_solver_finds_the_same(t):
    weights = torch.randn(7, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    d = len(weights)
    # |w_i - w_j| <= u_ij makes the problem smooth, with constraints
    index = [(i, j) for i in range(d) for j in range(i)]

    def objective(z):
        return 0.5 * ((z[:d] - weights.numpy()) ** 2).sum() + t * z[d:].sum() / (d - 1)

    limits = [
        {"type": "ineq", "fun": lambda z, k=k, i=i, j=j, s=s: z[d + k] - s * (z[i] - z[j])}
        for k, (i, j) in enumerate(index)
        for s in (1, -1)
    ]
    start = [*weights.tolist(), *(abs(float(weights[i] - weights[j])) for i, j in index)]
    solved = minimize(objective, start, method="SLSQP", constraints=limits, options={"ftol": 1e-12, "maxiter": 500})
    assert solved.success
    torch.testing.assert_close(pull_together(weights, t), torch.from_numpy(solved.x[:d]), rtol=0, atol=1e-5)


@given(WEIGHTS, STRENGTHS)
def test_order_and_mean_stay_and_what_is_equal_stays_equal(weights, t):
    found = pull_together(weights, t)
    close(found.mean(), weights.mean())
    order = weights.argsort()
    assert bool((found[order].diff() >= 0).all())
    assert bool((found[order].diff()[weights[order].diff() == 0] == 0).all())
    assert pairs(found) <= pairs(weights) + 1e-9


@given(WEIGHTS, STRENGTHS, NUMBERS, st.randoms(use_true_random=False))
def test_it_moves_and_permutes_with_the_weights(weights, t, move, random):
    found = pull_together(weights, t)
    close(pull_together(weights + move, t), found + move)
    close(pull_together(-weights, t), -found)
    order = random.sample(range(len(weights)), len(weights))
    close(pull_together(weights[order], t), found[order])


@given(WEIGHTS)
def test_nothing_moves_at_0_and_all_become_equal_when_it_is_large(weights):
    close(pull_together(weights, 0), weights)
    together = pull_together(weights, 4.0 * len(weights))
    assert len(together.unique()) == 1
    close(together, weights.mean().expand_as(weights))


def test_shape_and_type_stay():
    weights = torch.randn(3, 4, 2)
    found = pull_together(weights, 0.1)
    assert (found.shape, found.dtype) == (weights.shape, torch.float32)
    close(found.double().flatten(), pull_together(weights.double().flatten(), 0.1).float().double())


def parameters(count=2, size=6):
    made = [nn.Parameter(torch.randn(size, generator=torch.Generator().manual_seed(seed))) for seed in range(count)]
    for each in made:
        each.grad = each.detach().cos()
    return made


def test_a_step_is_one_of_sgd_and_then_of_the_penalty_at_the_present_rate_in_each_parameter_by_itself():
    mine, theirs = parameters(), parameters()
    optimizer, sgd = WeightSharingSGD(mine, 0.2, strength=0.5, momentum=0.9), torch.optim.SGD(theirs, 0.2, momentum=0.9)
    for rate in (0.2, 0.05):
        optimizer.param_groups[0]["lr"] = sgd.param_groups[0]["lr"] = rate
        optimizer.step()
        sgd.step()
        for each in theirs:
            each.data = pull_together(each.data, rate * 0.5)
        assert all(torch.equal(a, b) for a, b in zip(mine, theirs, strict=True))


def test_each_group_has_its_own_strength_and_without_one_it_is_sgd():
    mine, theirs = parameters(4), parameters(4)
    mine[3].grad = theirs[3].grad = None
    optimizer = WeightSharingSGD([{"params": mine[:1], "strength": 1e6}, {"params": mine[1:]}], lr=0.1, strength=0.0)
    torch.optim.SGD(theirs, 0.1).step()
    assert optimizer.step(lambda: 7) == 7
    assert len(mine[0].unique()) == 1
    assert all(torch.equal(a, b) for a, b in zip(mine[1:], theirs[1:], strict=True))
    optimizer.add_param_group({"params": parameters(1)})
    assert optimizer.param_groups[-1]["strength"] == 0


def test_a_negative_strength_is_refused():
    with pytest.raises(ValueError, match=r"strength=-1\.0: should be 0 or more"):
        WeightSharingSGD(parameters(1), lr=0.1, strength=-1.0)
