"""Runs as tasks of Ray on a cluster: joined, left as it was, and what becomes of the runs when a part of it is lost."""

import json
import os
import signal
import socket
from importlib.util import find_spec
from pathlib import Path

import pytest
from conftest import SMALL, read
from ray_cluster import ENVIRONMENT, command_of, parent_of, processes, ray_cluster
from sweeps import LONG, RUNS, SWEEP, begun, holder, outcome, started, starts, states, undisturbed_outcome, until

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(find_spec("ray") is None, reason="ray is not installed")]

SUPPORT = Path(__file__).parents[1] / "support"


@pytest.fixture(scope="module")
def cluster():
    with ray_cluster() as made:
        yield made


@pytest.fixture
def sweep(cluster, tmp_path):
    """Starts a sweep on the cluster: with sweep(...) as process."""

    def start(*arguments, address=cluster.address):
        choice = ("hydra/launcher=ray_cluster", f"hydra.launcher.address={address}", "hydra.launcher.connect_timeout=240")
        return started(*arguments, *choice, cwd=tmp_path, **ENVIRONMENT)

    return start


def said(tmp_path):
    return (tmp_path / "out.txt").read_text()


def nobody_works(root):
    return all(holder(root / name) is None for name in RUNS)


def test_runs_share_a_cpu_and_a_gpu_and_find_what_the_sweep_found(cluster, sweep, tmp_path):
    """One CPU and one GPU for two runs at a time, a module of the user's own that is not installed, the name of the engine."""
    own = ("+callbacks.own={_target_:own_callbacks.Environment}", f"pythonpath=[{SUPPORT}]")
    runs = ("-m", *SMALL, "hydra.sweep.dir=sweep", "hydra.sweep.subdir=${seed}", "seed=0,1", "probes=shift_map")
    with sweep(*runs, *own, "hydra.launcher.num_cpus=0.25", "hydra.launcher.num_gpus=0.5") as process:
        assert process.wait(300) == 0, said(tmp_path)
    assert "Traceback" not in said(tmp_path)
    seen = [json.loads((tmp_path / "sweep" / name / "environment.json").read_text()) for name in "01"]
    assert len({each["process"] for each in seen}) == 2
    assert {each["CONVEXP_ENGINE"].partition("/")[0] for each in seen} == {f"ray {socket.gethostname()}"}
    assert {each["CUDA_VISIBLE_DEVICES"] for each in seen} == {"0"}
    assert cluster.raylets()  # it is not ours to stop


def test_a_client_from_outside_of_the_cluster(cluster, sweep, tmp_path):
    for _ in range(3):  # on a busy machine Ray gives the start of a client's server up after half a minute
        with sweep("-m", "only_costs=true", "model=conv,local", "hydra.sweep.dir=sweep", address=cluster.client) as process:
            code = process.wait(300)
        if "Starting Ray client server failed" not in said(tmp_path):
            break
    assert code == 0, said(tmp_path)
    assert "Traceback" not in said(tmp_path)
    assert {read(folder.parent)["state"] for folder in tmp_path.glob("sweep/*/result.json")} == {"finished"}


def test_the_runs_of_a_node_that_is_lost_go_on_elsewhere(cluster, sweep, tmp_path, tmp_path_factory):
    root = tmp_path / "sweep"
    with cluster.node(f"--address={cluster.address}", "--num-gpus=0", name="second"), sweep(*SWEEP, *LONG) as process:

        def there():
            return [name for name in begun(root) if parent_of(holder(root / name)) in cluster.raylets("second")]

        until(there)
        os.kill(cluster.raylets("second")[0], signal.SIGKILL)
        assert process.wait(300) == 0, said(tmp_path)
    assert "started again (1 of 3)" in said(tmp_path)
    assert "Traceback" not in said(tmp_path)
    assert "(raylet)" not in said(tmp_path)
    assert outcome(root) == undisturbed_outcome(tmp_path_factory, *LONG)
    assert set(starts(root).values()) == {1}


def test_a_lost_connection_is_one_line_and_ends_the_runs(cluster, sweep, tmp_path, tmp_path_factory):
    root = tmp_path / "sweep"
    with sweep(*SWEEP, *LONG) as process:
        until(lambda: begun(root))
        (driver,) = [pid for pid in processes() if parent_of(pid) == process.pid and "driver_main" in command_of(pid)]
        os.kill(driver, signal.SIGKILL)
        assert process.wait(300) == 1
        assert "the connection to Ray was lost" in said(tmp_path)
        assert "Traceback" not in said(tmp_path)
        until(lambda: nobody_works(root))
    with sweep(*SWEEP, *LONG) as process:
        assert process.wait(300) == 0, said(tmp_path)
    assert set(states(root).values()) == {"finished"}
    assert outcome(root) == undisturbed_outcome(tmp_path_factory, *LONG)
    assert set(starts(root).values()) == {1}


def test_something_else_at_the_address_is_one_line_and_leaves_nothing(program, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"
        settings = (f"hydra.launcher.address={address}", "hydra.launcher.connect_timeout=2")
        done = program("train", "-m", "seed=0,1", "hydra/launcher=ray_cluster", *settings, cwd=tmp_path, **ENVIRONMENT)
    assert done.code == 2
    line = f"convexp-train: hydra.launcher.address={address}: no Ray answers there (not within 2 s)"
    assert done.err.splitlines() == [line]
    assert not list(tmp_path.iterdir())
