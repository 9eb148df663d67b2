"""How a machine is divided among the runs of a sweep: its GPUs and its cores."""

from dataclasses import dataclass, field
from functools import partial
from types import SimpleNamespace

import joblib
import pytest
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf

from convexp.engines.local import pool, slots
from convexp.engines.local.pool import run_parallel
from convexp.engines.local.slots import THREADS, check_local, make_slots
from convexp.errors import ConfigError
from convexp.machine.gpus import CUDA, Gpus


@pytest.fixture
def machine(monkeypatch):
    """A machine of eight cores: machine(number of GPUs)."""
    monkeypatch.setattr(joblib, "cpu_count", lambda: 8)
    monkeypatch.delenv(THREADS, raising=False)

    def made(gpus):
        monkeypatch.setattr(slots, "find_gpus", lambda: Gpus(CUDA, tuple(f"GPU-{number}" for number in range(gpus))))

    return made


def config(accelerator="auto", threads=1, **trainer):
    return OmegaConf.create({"trainer": {"threads": threads, "accelerator": accelerator, **trainer}})


@pytest.mark.parametrize(
    ("processes", "threads", "accelerator", "gpus", "count"),
    [
        (None, None, "cpu", 0, 1),
        (None, 1, "cpu", 4, 8),
        (None, 1, "auto", 0, 8),
        (None, 1, "gpu", 0, 1),
        (None, 3, "cpu", 0, 2),
        (None, 16, "cpu", 0, 1),
        (None, 0, "cpu", 0, 1),
        (None, "two", "cpu", 0, 1),
        (5, None, "cpu", 0, 5),
        (1, 1, "cpu", 0, 1),
        (None, 1, "auto", 1, 1),
        (None, None, "auto", 4, 4),
        (None, 1, "gpu", 4, 4),
        (3, 1, "gpu", 4, 3),
        (5, 1, "gpu", 4, 4),
    ],
)
def test_as_many_as_gpus_or_cores_allow(processes, threads, accelerator, gpus, count, machine):
    machine(gpus)
    made = make_slots(processes, 1, config(accelerator, threads))
    assert len(made) == count
    assert (CUDA in made[0]) == (accelerator != "cpu" and count > 1 and gpus > 0)


def test_only_the_gpus_that_the_user_shows(monkeypatch):
    monkeypatch.setenv(CUDA, "MIG-a,3")
    assert make_slots(None, 2, config()) == [{CUDA: "MIG-a"}, {CUDA: "3"}] * 2
    monkeypatch.setenv(CUDA, "3,3")
    with pytest.raises(ConfigError, match="CUDA_VISIBLE_DEVICES=3,3: names a GPU twice"):
        check_local(None, 1, config())
    monkeypatch.setenv(CUDA, "")
    assert CUDA not in make_slots(2, 1, config())[0]


@given(gpus=st.integers(1, 9), per_gpu=st.integers(1, 5), processes=st.none() | st.integers(1, 50), devices=st.integers(1, 3))
def test_the_law_of_packing(gpus, per_gpu, processes, devices):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(slots, "find_gpus", lambda: Gpus(CUDA, tuple(map(str, range(gpus)))))
        made = make_slots(processes, per_gpu, config(devices=devices))
    groups = gpus // devices
    if groups == 0:
        return  # Lightning says that there are too few
    assert len(made) == min(groups * per_gpu, processes or 50)
    shown = [slot[CUDA].split(",") for slot in made if slot]
    assert all(len(set(names)) == devices for names in shown)
    loads = [sum(str(gpu) in names for names in shown) for gpu in range(groups * devices)]
    assert max(loads, default=0) <= per_gpu
    assert not shown or max(loads) - min(loads) <= 1  # spread evenly, so that none is idle while another is shared


def test_a_run_of_several_processes_takes_the_threads_of_each(machine):
    machine(0)
    assert make_slots(None, 1, config("cpu", threads=2, devices=2)) == [{}] * 2


def test_cores_are_shared_out_where_torch_chooses_the_threads(machine, monkeypatch):
    machine(0)
    assert make_slots(3, 1, config(threads=None)) == [{THREADS: "2"}] * 3
    assert make_slots(20, 1, config(threads=None)) == [{THREADS: "1"}] * 20
    assert make_slots(3, 1, config(threads=4)) == [{}] * 3  # the user's word
    assert make_slots(1, 1, config(threads=None)) == [{}]
    machine(2)
    assert make_slots(None, 2, config(threads=None))[0] == {CUDA: "GPU-0", THREADS: "2"}
    monkeypatch.setenv(THREADS, "5")  # the user's word, too
    assert make_slots(3, 1, config("cpu", threads=None)) == [{}] * 3


@pytest.mark.parametrize("processes", [0, -1, 1.5, "two", True])
def test_no_number_of_processes(processes):
    with pytest.raises(ConfigError, match=r"hydra\.launcher\.processes=.*: should be a whole number from 1 on, or null"):
        check_local(processes, 1, config("cpu"))


@pytest.mark.parametrize("runs", [0, -1, 1.5, "two", True, None])
def test_no_number_of_runs(runs, machine):
    machine(2)
    with pytest.raises(ConfigError, match=r"hydra\.launcher\.runs_per_gpu=.*: should be a whole number from 1 on"):
        check_local(None, runs, config())


@pytest.mark.parametrize(
    ("accelerator", "gpus", "words"),
    [("cpu", 2, "trainer.accelerator=cpu, and the runs use none"), ("auto", 0, "none is found"), ("gpu", 0, "none is found")],
)
def test_nothing_to_pack_on(accelerator, gpus, words, machine):
    machine(gpus)
    with pytest.raises(ConfigError, match=f"hydra.launcher.runs_per_gpu=3: .*{words}.*hydra.launcher.processes"):
        check_local(None, 3, config(accelerator))
    check_local(None, 1, config(accelerator))


@dataclass
class Simulation:
    """Workers that do nothing, and a ``wait`` that lets them end in any order; ``running`` is what each slot does."""

    draw: object
    running: dict[str, int] = field(default_factory=dict)
    most: dict[str, int] = field(default_factory=dict)

    def worker(self, _work, _preload, slot):
        made = SimpleNamespace(slot=slot, job=-1, alive=True, connection=object(), close=lambda: None)
        made.interrupt, made.is_busy = (lambda: None), False
        made.process = SimpleNamespace(sentinel=object(), is_alive=lambda: made.alive)
        made.send = partial(self.send, made)
        made.results = partial(self.results, made)
        return made

    def send(self, worker, numbers, _jobs):
        (number,) = numbers
        gpu = worker.slot[CUDA]
        assert worker.alive
        assert worker.job == -1
        worker.job = number
        self.running[gpu] = self.running.get(gpu, 0) + 1
        self.most[gpu] = max(self.most.get(gpu, 0), self.running[gpu])

    def results(self, worker):
        number, worker.job = worker.job, -1
        self.running[worker.slot[CUDA]] -= 1
        worker.alive, worker.is_busy = self.draw(st.booleans()), False
        return [number]

    def wait(self, ends):
        connections = ends[::2]
        return self.draw(st.lists(st.sampled_from(connections), min_size=1, unique=True))


@given(data=st.data(), gpus=st.integers(1, 4), per_gpu=st.integers(1, 3), jobs=st.integers(0, 20))
def test_the_law_of_slots(data, gpus, per_gpu, jobs):
    """Whatever ends when, killed or not: every job once, never more than fit, and no slot idle while a job waits."""
    simulation = Simulation(data.draw)
    places = [{CUDA: str(gpu)} for _ in range(per_gpu) for gpu in range(gpus)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pool, "Worker", simulation.worker)
        patch.setattr(pool, "wait", simulation.wait)
        done = list(run_parallel(len, [int] * jobs, places, "json"))
    assert sorted(done) == list(range(jobs))
    assert max(simulation.most.values(), default=0) <= per_gpu
    assert len(simulation.most) == min(gpus, jobs)
    assert sum(simulation.most.values()) == min(len(places), jobs)
