"""In a run subnormal numbers count as zero: that saves time, and no weight notices."""

import pytest
import torch
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

SMALLEST = torch.finfo(torch.float32).tiny


@pytest.fixture(autouse=True)
def as_torch_starts():
    torch.set_flush_denormal(False)
    yield
    torch.set_flush_denormal(False)


def subnormals(x: torch.Tensor) -> int:
    """Count them without arithmetic, which would take them for zero: no bit of the exponent is set, one of the others is."""
    bits = x.flatten().view(torch.int32)
    return int(((bits & 0x7F800000 == 0) & (bits & 0x007FFFFF != 0)).sum())


OPTIMIZERS = {
    "adam": lambda weights, lr, beta: torch.optim.Adam([weights], lr, (beta, 0.999), fused=True),
    "adamw": lambda weights, lr, beta: torch.optim.AdamW([weights], lr, (beta, 0.999), fused=True),
    "sgd": lambda weights, lr, beta: torch.optim.SGD([weights], lr, momentum=beta),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
@given(st.integers(0, 2**31), st.floats(1e-4, 1), st.floats(0.6, 0.9))
@hypothesis_settings(max_examples=10)
def test_weights_whose_gradient_has_become_zero_end_with_the_same_bits(name, seed, lr, beta):
    def train(flush):
        torch.set_flush_denormal(flush)
        generator = torch.Generator().manual_seed(seed)
        weights = torch.randn(200, generator=generator).requires_grad_()
        optimizer = OPTIMIZERS[name](weights, lr, beta)
        weights.grad = torch.randn(200, generator=generator)
        optimizer.step()
        weights.grad = torch.zeros(200)
        for _ in range(1000):
            optimizer.step()
        (state,) = optimizer.state.values()
        return weights.detach(), subnormals(state["momentum_buffer" if name == "sgd" else "exp_avg"])

    (usual, of_usual), (flushed, of_flushed) = train(False), train(True)
    assert torch.equal(usual, flushed)
    assert of_usual > 150  # they stay, and take long
    assert of_flushed == 0


def test_no_average_of_a_run_is_subnormal(small_run):
    folder = small_run("model=dense", "+optimizer.betas=[0.1,0.999]", "optimizer.lr=0.03")
    checkpoint = torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)
    averages = [state["exp_avg"] for state in checkpoint["optimizer_states"][0]["state"].values()]
    assert sum(int((average == 0).sum()) for average in averages) > 100  # there were units that no image activates
    assert not any(subnormals(average) for average in averages)


@pytest.mark.e2e
def test_in_every_thread(program, tmp_path):
    (tmp_path / "threads.py").write_text(f"""
import torch
from convexp.config.compose import compose_config
from convexp.execution.torch_setup import prepare_torch
prepare_torch(compose_config("trainer=cpu", "trainer.threads=2"))
halves = (torch.full((1_000_000,), {SMALLEST}) / 2).chunk(2)
print([int((half.view(torch.int32) != 0).sum()) for half in halves])
""")
    done = program("threads.py", cwd=tmp_path)
    assert done.out == "[0, 0]\n", done.err
