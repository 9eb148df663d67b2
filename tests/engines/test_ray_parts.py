"""What the launcher of Ray does without Ray: its settings, their checks, and which runs it starts again."""

import pickle
import socket
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf

from convexp.config.checks import packages
from convexp.engines.ray import checks
from convexp.engines.ray.checks import check_ray, lacking
from convexp.engines.ray.launch import run_on_ray
from convexp.engines.ray.messages import Done, Job, Lost, place_of_this_process
from convexp.engines.ray.settings import read_settings
from convexp.engines.results import JobResult
from convexp.errors import ConfigError, ConvexpError
from convexp.machine.gpus import Gpus

CPU = OmegaConf.create({"trainer": {"accelerator": "cpu"}})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"address": "head"}, "hydra.launcher.address=head: should be auto, HOST:PORT or ray://HOST:PORT, or null"),
        ({"address": "head:99999"}, "hydra.launcher.address=head:99999: should be auto"),
        ({"address": "http://head:1"}, "hydra.launcher.address=http://head:1: should be auto"),
        ({"num_cpus": 0}, "hydra.launcher.num_cpus=0: should be greater than 0"),
        ({"num_cpus": 1.5}, "hydra.launcher.num_cpus=1.5: should be a whole number, or a part of one such as 0.25"),
        ({"num_gpus": -1}, "hydra.launcher.num_gpus=-1: should be greater than or equal to 0"),
        ({"num_gpus": "all"}, "hydra.launcher.num_gpus=all: should be a valid number"),
        ({"resources": {"GPU": 1}}, "GPU has a setting of its own, hydra.launcher.num_gpus"),
        ({"max_retries": -1}, "hydra.launcher.max_retries=-1: should be greater than or equal to 0"),
        ({"max_parallel": 0}, "hydra.launcher.max_parallel=0: should be greater than 0"),
        ({"connect_timeout": 0}, "hydra.launcher.connect_timeout=0: should be greater than 0"),
        ({"object_store_memory": 1000}, "hydra.launcher.object_store_memory=1000: should be greater than or equal to 80000000"),
        ({"num_cpu": 1}, "hydra.launcher.num_cpu: there is no such setting"),
    ],
)
def test_a_wrong_setting_is_named(given, said):
    with pytest.raises(ConfigError) as error:
        read_settings(given)
    assert said in str(error.value)


@pytest.mark.parametrize("address", [None, "auto", "head:6379", "10.0.0.1:6379", "[::1]:6379", "ray://head.lab.org:10001"])
def test_addresses(address):
    assert read_settings({"address": address}).address == address


@pytest.mark.parametrize(
    ("given", "gpus", "said"),
    [
        ({"num_cpus": 2, "local_cpus": 1}, 0, "hydra.launcher.num_cpus=2: should be 1 at most, all CPUs that there are"),
        ({"num_gpus": 0.25}, 0, "hydra.launcher.num_gpus=0.25: should be 0 at most, all GPUs that are found here"),
        ({"num_gpus": 2, "local_gpus": 1}, 4, "hydra.launcher.num_gpus=2: should be 1 at most"),
        ({"resources": {"a100": 1}}, 1, "hydra.launcher.resources.a100: only the nodes of a cluster have such"),
        ({"address": "auto", "local_cpus": 1}, 0, "hydra.launcher.local_cpus=1: leave it out, as a cluster says itself"),
        ({"address": "auto", "object_store_memory": 1e9}, 0, "hydra.launcher.object_store_memory=1000000000.0: leave it out"),
    ],
)
def test_settings_that_nothing_can_satisfy(given, gpus, said, monkeypatch):
    monkeypatch.setattr(checks, "check_package", lambda *_: None)
    monkeypatch.setattr(checks, "find_gpus", lambda: Gpus("CUDA_VISIBLE_DEVICES", tuple(map(str, range(gpus)))))
    with pytest.raises(ConfigError) as error:
        check_ray(read_settings(given), CPU)
    assert said in str(error.value)


def test_a_part_of_a_gpu(monkeypatch):
    monkeypatch.setattr(checks, "check_package", lambda *_: None)
    monkeypatch.setattr(checks, "find_gpus", lambda: Gpus("CUDA_VISIBLE_DEVICES", ("0",)))
    gpu = OmegaConf.create({"trainer": {"accelerator": "gpu"}})
    check_ray(read_settings({"num_gpus": 0.25}), gpu)
    with pytest.raises(ConfigError, match=r"num_gpus=0: trainer\.accelerator=gpu needs a GPU for each run"):
        check_ray(read_settings({}), gpu)


def test_without_ray_the_command_that_installs_it_is_named(monkeypatch):
    monkeypatch.setattr(packages, "find_spec", lambda _: None)
    with pytest.raises(ConfigError, match=r"^hydra/launcher=ray: .* pip install 'convexp\[ray\]'$"):
        check_ray(read_settings({}), CPU)


@pytest.mark.parametrize(("host", "reason"), [("127.0.0.1", "Connection refused"), ("no-such-host.invalid", "")])
@pytest.mark.parametrize("scheme", ["", "ray://"])
def test_an_address_where_nobody_listens(scheme, host, reason, monkeypatch):
    monkeypatch.setattr(checks, "check_package", lambda *_: None)
    with socket.create_server(("127.0.0.1", 0)) as closed:
        address = f"{scheme}{host}:{closed.getsockname()[1]}"
    with pytest.raises(ConfigError) as error:
        check_ray(read_settings({"address": address}), CPU)
    assert str(error.value).startswith(f"hydra.launcher.address={address}: does not answer ({reason}")


def test_what_no_node_has():
    settings = read_settings({"address": "auto", "num_gpus": 1, "resources": {"a100": 1}})
    assert lacking(settings, [{"CPU": 4, "GPU": 1, "a100": 1}]) is None
    assert lacking(settings, [{"CPU": 4, "GPU": 1}, {"CPU": 4, "a100": 1}]) == "num_cpus=1, num_gpus=1, resources.a100=1"


class UnreliableRay:
    """Stands in for the connection: loses each run as often as it is told, and ends the runs that it has in turn."""

    def __init__(self, losses, again=True):
        self.losses, self.again = losses, again
        self.has, self.begun, self.most, self.cancelled = [], Counter(), 0, False

    def send(self, job: Job):
        self.has.append(job)
        self.most = max(self.most, len(self.has))
        assert job.attempt == self.begun[job.number]
        self.begun[job.number] += 1

    def receive(self):
        job = self.has.pop()
        if self.cancelled or self.begun[job.number] <= self.losses[job.number]:
            return Lost(job.number, "its node was lost", self.again)
        return Done(job.number, pickle.dumps(JobResult(job.number, pickle.loads(job.config).hydra.sweep.subdir)))

    def cancel(self):
        self.cancelled = True


def jobs(count):
    return [lambda name=f"run{i}": OmegaConf.create({"hydra": {"sweep": {"dir": ".", "subdir": name}}}) for i in range(count)]


@given(st.lists(st.integers(0, 5), max_size=8), st.integers(0, 3), st.integers(1, 4))
def test_a_run_is_started_again_as_often_as_is_allowed(losses, retries, parallel):
    ray = UnreliableRay(losses)
    settings = read_settings({"max_retries": retries, "max_parallel": parallel})
    ended = {result.number: result for result in run_on_ray(ray, settings, jobs(len(losses)))}
    assert sorted(ended) == list(range(len(losses)))
    assert ray.most <= parallel
    for number, lost in enumerate(losses):
        assert ray.begun[number] == min(lost, retries) + 1
        assert (ended[number].lost is None) == (lost <= retries)
        assert ended[number].value == (f"run{number}" if lost <= retries else None)


def test_a_run_that_ray_could_not_begin_is_not_tried_again():
    ray = UnreliableRay([1, 0], again=False)
    ended = {result.number: result.lost for result in run_on_ray(ray, read_settings({}), jobs(2))}
    assert ended == {0: "its node was lost", 1: None}
    assert ray.begun == {0: 1, 1: 1}


def test_leaving_interrupts_what_goes_on_and_waits_for_it():
    ray = UnreliableRay([0] * 5)
    results = run_on_ray(ray, read_settings({"max_parallel": 3}), jobs(5))
    next(results)
    results.close()
    assert ray.cancelled
    assert not ray.has


def test_a_lost_connection_is_an_error():
    class Broken(UnreliableRay):
        def receive(self):
            raise ConvexpError("the connection to Ray was lost")

    with pytest.raises(ConvexpError, match="was lost"):
        list(run_on_ray(Broken([0]), read_settings({}), jobs(1)))


def test_runs_on_other_machines_get_the_variables_that_are_theirs(monkeypatch):
    theirs = {"CONVEXP_DATA": "/data", "WANDB_MODE": "offline", "GOMP_SPINCOUNT": "3000", "MY_OWN": "1"}
    others = {"CONVEXP_HOST": "here", "RANK": "1", "PATH": "/bin", "SECRET": "x"}
    for name, value in (theirs | others).items():
        monkeypatch.setenv(name, value)
    sent = place_of_this_process(["MY_OWN"]).environment
    assert theirs.items() <= sent.items()
    assert not others.keys() & sent.keys()
