"""β-LASSO: the threshold, exact zeros, and what it is without them."""

import pytest
import torch
from conftest import read
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from convexp.training.beta_lasso import BetaLasso

VALUES = st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=8)


def parameter(values, seed=0):
    made = nn.Parameter(torch.tensor(values))
    made.grad = torch.randn(len(values), generator=torch.Generator().manual_seed(seed))
    return made


@given(VALUES, st.floats(0, 0.5), st.floats(0, 0.02), st.floats(0, 50), st.integers(0, 9))
def test_a_step_is_one_of_sgd_on_the_l1_penalty_and_then_what_is_small_is_exactly_zero(values, lr, l1, beta, seed):
    mine, theirs = parameter(values, seed), parameter(values, seed)
    theirs.grad = theirs.grad + l1 * theirs.detach().sign()
    BetaLasso([mine], lr, l1, beta).step()
    torch.optim.SGD([theirs], lr).step()
    with_beta_0 = parameter(values, seed)
    BetaLasso([with_beta_0], lr, l1, beta=0).step()
    torch.testing.assert_close(with_beta_0, theirs, rtol=1e-6, atol=1e-7)
    small = with_beta_0.detach().abs() < beta * l1
    assert torch.equal(mine.detach(), with_beta_0.detach().masked_fill(small, 0))


def test_each_group_has_its_own_threshold_and_what_has_no_gradient_or_group_is_untouched():
    values = [-0.03, -0.02, 0.01, 0.02, 0.03]
    loose, tight, still, outside = (parameter(values) for _ in range(4))
    for each in (loose, tight, outside):
        each.grad.zero_()
    still.grad = None
    optimizer = BetaLasso([{"params": [loose, still]}, {"params": [tight], "l1": 1e-3}], lr=0.1, l1=0.0, beta=25.0)
    assert optimizer.step(lambda: 7) == 7
    assert all(each.tolist() == torch.tensor(values).tolist() for each in (loose, still, outside))
    assert tight.detach().nonzero().flatten().tolist() == [0, 4]  # 0.02 - 1e-4 is below 0.025


@pytest.mark.parametrize("wrong", [{"lr": -1.0}, {"l1": -1e-9}, {"beta": -1.0}])
def test_a_negative_number_is_refused(wrong):
    with pytest.raises(ValueError, match="should be 0 or more"):
        BetaLasso([parameter([1.0])], **{"lr": 0.1} | wrong)


def test_a_training_prunes_the_dense_layer_and_leaves_biases_alone(call, tmp_path):
    done = call(
        "train",
        *("trainer=cpu", "trainer.threads=1", "trainer.max_epochs=2", "data.train_size=64", "probes=none", "model=dense"),
        *(
            "model.channels=[2]",
            "model.kernel_size=3",
            "optimizer=beta_lasso",
            "optimizer.l1=0.001",
            f"hydra.run.dir={tmp_path / 'run'}",
        ),
        "+optimizer.groups.bias={kind: bias, l1: 0.0}",
    )
    assert done.code == 0, done.err
    state = torch.load(tmp_path / "run" / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]
    weight, bias = (state[f"network.stages.0.wiring.{name}"] for name in ("weight", "bias"))
    assert 0.1 < float((weight == 0).double().mean()) < 0.9
    assert float(weight[weight != 0].abs().min()) >= 0.05 * (1 - 1e-6)
    assert float(bias.abs().min()) < 0.05
    assert read(tmp_path / "run")["state"] == "finished"
