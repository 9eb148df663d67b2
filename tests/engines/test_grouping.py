"""Which runs of a sweep are done together in one process."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf

from convexp.engines.local.grouping import LARGEST, check_replicas, group_jobs, reason_against_group
from convexp.errors import ConfigError
from convexp.machine.gpus import CUDA, Gpus

FIT = OmegaConf.create(
    {
        "task": {"_target_": "convexp.training.tasks.classification.Classification"},
        "logger": {"csv": {"_target_": "convexp.tracking.metrics_csv.MetricsCSV"}},
        "callbacks": None,
        "trainer": {"accelerator": "cpu", "precision": "32-true", "devices": 1, "accumulate_grad_batches": 1},
        "model": {"name": "conv"},
    }
)


def grouped(overrides, slots=1, replicas="auto", config=FIT):
    return group_jobs(overrides, [lambda: config] * len(overrides), slots, replicas)


job = st.tuples(st.sampled_from(["conv", "local"]), st.integers(0, 9), st.sampled_from(["0.1", "1e-3"]))


@given(st.lists(job, max_size=20), st.integers(1, 4), st.sampled_from(["auto", 1, 3]))
def test_every_run_is_in_one_group_with_runs_that_are_alike(jobs, slots, replicas):
    overrides = [[f"model={model}", f"seed={seed}", f"optimizer.lr={lr}"] for model, seed, lr in jobs]
    groups = grouped(overrides, slots, replicas)
    assert sorted(number for group in groups for number in group) == list(range(len(jobs)))
    assert all(len({jobs[number][0] for number in group}) == 1 for group in groups)
    assert max(map(len, groups), default=0) <= (LARGEST if replicas == "auto" else replicas)
    if replicas == "auto":  # no process is without a run as long as there is one of this kind
        for model in {model for model, *_ in jobs}:
            alike = sum(each[0] == model for each in jobs)
            assert sum(jobs[group[0]][0] == model for group in groups) >= min(slots, alike)


@pytest.mark.parametrize(
    ("runs", "slots", "replicas", "sizes"),
    [
        (8, 2, "auto", [4, 4]),
        (8, 1, "auto", [8]),
        (5, 2, "auto", [2, 3]),
        (20, 1, "auto", [6, 7, 7]),
        (8, 2, 8, [8]),
        (3, 2, 1, [1] * 3),
    ],
)
def test_eight_seeds_in_two_processes_are_two_groups_of_four(runs, slots, replicas, sizes):
    assert [len(group) for group in grouped([[f"seed={n}"] for n in range(runs)], slots, replicas)] == sizes


@pytest.mark.parametrize(
    "differ",
    [
        ("data.batch_size=32", "data.batch_size=64"),
        ("optimizer=adam", "optimizer=sgd"),
        ("optimizer.betas=[0.9,0.99]", "optimizer.betas=[0.8,0.99]"),
        ("model.channels=[2]", "model.channels=[3]"),
        ("trainer.max_epochs=1", "trainer.max_epochs=2"),
    ],
)
def test_runs_that_differ_in_more_are_apart(differ):
    assert grouped([[each] for each in differ]) == [(0,), (1,)]


@pytest.mark.parametrize(
    "setting",
    [
        "trainer.precision=16-mixed",
        "trainer.devices=2",
        "trainer.accumulate_grad_batches=2",
        "trainer.profiler=simple",
        "compile=true",
        "only_costs=true",
        "task._target_=mine.Task",
        "logger.wandb._target_=convexp.tracking.trackers.wandb",
        "callbacks.own._target_=mine.Callback",
        "hydra.job.chdir=true",
        "hydra.job.env_set.CUDA_LAUNCH_BLOCKING=1",
    ],
)
def test_what_belongs_to_the_process_or_is_not_known_is_done_alone(setting):
    assert reason_against_group(FIT) is None
    config = OmegaConf.merge(FIT, OmegaConf.from_dotlist([setting]))
    said = []
    assert group_jobs([["seed=0"], ["seed=1"]], [lambda: config] * 2, 1, 2, said.append) == [(0,), (1,)]
    assert said == [reason_against_group(config)]
    name, value = setting.split("=")
    assert setting in said[0] or value in said[0] or name.startswith(f"{said[0].split()[0]}")
    assert grouped([["seed=0"], ["seed=1"]], config=config) == [(0,), (1,)]


@pytest.mark.parametrize(
    ("accelerator", "gpus", "together"), [("cpu", 1, True), ("auto", 0, True), ("auto", 1, False), ("gpu", 1, False)]
)
def test_auto_makes_no_groups_where_runs_use_a_gpu(monkeypatch, accelerator, gpus, together):
    found = Gpus(CUDA, tuple(map(str, range(gpus))))
    monkeypatch.setattr("convexp.engines.local.grouping.find_gpus", lambda: found)
    config = OmegaConf.merge(FIT, {"trainer": {"accelerator": accelerator}})
    runs = [["seed=0"], ["seed=1"]]
    assert grouped(runs, config=config) == ([(0, 1)] if together else [(0,), (1,)])
    assert grouped(runs, replicas=2, config=config) == [(0, 1)]


@pytest.mark.parametrize("wrong", [0, -1, "all", 2.5, None, True])
def test_a_wrong_number_is_refused(wrong):
    check_replicas("auto")
    check_replicas(3)
    with pytest.raises(ConfigError, match=r"hydra.launcher.replicas=.*: should be auto or a whole number"):
        check_replicas(wrong)
