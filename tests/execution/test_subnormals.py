"""In a run subnormal numbers count as zero: that saves time, and no weight notices."""

import pytest
import torch
from conftest import SMALL, read
from groups import in_this_process
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from subnormals import averages, subnormals

SMALLEST = torch.finfo(torch.float32).tiny


SILENT = ("model=dense", "+optimizer.betas=[0.1,0.999]", "optimizer.lr=0.03")  # some units fall silent, and averages decay soon
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
        torch.set_flush_denormal(False)  # for what Hypothesis does in between
        (state,) = optimizer.state.values()
        return weights.detach(), subnormals(state["momentum_buffer" if name == "sgd" else "exp_avg"])

    (usual, of_usual), (flushed, of_flushed) = train(False), train(True)
    assert torch.equal(usual, flushed)
    assert of_usual > 150  # they stay, and take long
    assert of_flushed == 0


def test_no_average_of_a_run_is_subnormal(small_run):
    folder = small_run(*SILENT)
    found = averages(folder)
    assert (found == 0).sum() > 100  # there were units that no image activates
    assert subnormals(found) == 0


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


def test_in_a_group(call, monkeypatch, tmp_path):
    monkeypatch.setattr("convexp.engines.local.launch.run_parallel", in_this_process)
    group = ("seed=0,1", "playground=false", "hydra.launcher.processes=1", "hydra.launcher.replicas=2")
    done = call("train", "-m", *SMALL, *SILENT, *group, "hydra.sweep.dir=sweep")
    assert done.code == 0, done.err
    folders = [file.parent for file in tmp_path.glob("sweep/*/result.json")]
    assert [read(folder)["hardware"]["replicas"] for folder in folders] == [2, 2]
    for folder in folders:
        found = averages(folder)
        assert (found == 0).sum() > 100
        assert subnormals(found) == 0
