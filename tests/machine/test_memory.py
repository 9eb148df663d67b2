"""What does not fit into memory is known before it is allocated."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from convexp.config.checks.machine import MAX_THREADS
from convexp.config.compose import compose_config
from convexp.errors import ConfigError
from convexp.execution import build, footprint, skeleton_plan
from convexp.execution.count_run import cost_metrics
from convexp.execution.footprint import check_memory
from convexp.execution.network_plan import plan_network
from convexp.machine import memory
from convexp.machine.memory import check_fits, free_bytes

sizes = st.dictionaries(st.text("abc", min_size=1), st.integers(0, 2**70), min_size=1, max_size=3)


@settings(deadline=None)
@given(sizes, st.integers(0, 2**70))
def test_what_fits_is_decided_by_the_sum(needs, free):
    if sum(needs.values()) <= free:
        check_fits("x=1", needs, free)
    else:
        with pytest.raises(ConfigError, match="x=1: does not fit into memory") as error:
            check_fits("x=1", needs, free)
        assert all(what in str(error.value) for what in needs)


def test_there_is_memory_here():
    assert 2**27 < free_bytes() < 2**50
    check_fits("x=1", {"a page": 4096})


@pytest.mark.parametrize(("limit", "free"), [("1000", 400), ("max", None), ("nonsense", None), (None, None)])
def test_in_a_container_its_limit_counts_and_cached_files_do_not(tmp_path, monkeypatch, limit, free):
    outside = memory.free_bytes()
    files = {"memory.max": limit, "memory.current": "900\n", "memory.stat": "anon 500\nactive_file 100\ninactive_file 200\n"}
    for name, text in files.items():
        if text is not None:
            (tmp_path / name).write_text(text)
    monkeypatch.setattr(memory, "GROUPS", [(tmp_path / "memory.max", tmp_path / "memory.current")])
    assert free_bytes() == free if free is not None else free_bytes() > outside / 2


@pytest.mark.parametrize("model", ["conv", "local", "dense", "low_rank_local", "global_conv", "mlp"])
def test_the_least_that_a_training_takes_is_what_its_costs_say(model, monkeypatch):
    config = compose_config(f"model={model}", "trainer=cpu")
    data, plan = build.dataset(config), plan_network(config)
    said: list[int] = []
    monkeypatch.setattr(footprint, "check_fits", lambda setting, needs, free: said.append(sum(needs.values())))
    state = torch.get_rng_state()
    layers = plan.count_layers()
    assert torch.equal(torch.get_rng_state(), state)
    assert layers == plan.build(data)[1]
    with monkeypatch.context() as large:
        large.setattr(skeleton_plan, "SMALL", 0)  # on the meta device
        assert layers == plan.count_layers()
    check_memory(config, layers, data)
    training = cost_metrics(layers, 256, 32)["cost/training_bytes"]
    assert said[0] == training + 32 * 256  # and the images, a byte a pixel
    assert said[1] > 16 * sum(layer.parameters for layer in layers)


def test_on_a_gpu_its_own_memory_counts(monkeypatch):
    config = compose_config("trainer=auto")
    data, layers = build.dataset(config), plan_network(config).count_layers()
    for name, value in (
        ("is_available", True),
        ("mem_get_info", (1000, 2**40)),
        ("memory_reserved", 500),
        ("memory_allocated", 200),
    ):
        monkeypatch.setattr(torch.cuda, name, lambda value=value: value)
    with pytest.raises(ConfigError, match=r"model \(conv\): does not fit .* 0\.0 GB are free"):
        check_memory(config, layers, data)
    check_memory(compose_config("trainer=cpu"), layers, data)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (2**36, 2**40))
    check_memory(config, layers, data)


def test_machines_with_many_cores_may_use_them(monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 2 * MAX_THREADS)
    assert compose_config(f"trainer.threads={2 * MAX_THREADS}").trainer.threads == 2 * MAX_THREADS
    with pytest.raises(ConfigError, match=f"trainer.threads={2 * MAX_THREADS + 1}"):
        compose_config(f"trainer.threads={2 * MAX_THREADS + 1}")


@pytest.mark.parametrize("norm", ["batch", "batch_unit"])
def test_batch_norm_where_one_image_would_be_left_over(small_run, norm):
    """1,257 images to train on: the 1,257th makes no batch of its own."""
    run = small_run(f"model.norm={norm}", "data.batch_size=314", "trainer.max_epochs=1", "probes=shift_map", "model.hidden=[4]")
    assert (run / "checkpoints" / "best.ckpt").exists()
