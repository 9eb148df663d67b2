"""Two processes train a network as one does, whoever starts them and whatever happens to them."""

import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
import torch
from conftest import read
from outcomes import same, science, weights
from shared import made_once
from sweeps import started, until

import convexp

SMALL = (
    "trainer=ddp",
    "trainer.accelerator=cpu",
    "trainer.threads=1",
    "trainer.max_epochs=3",
    "trainer.accumulate_grad_batches=2",
    "trainer.gradient_clip_val=0.5",
    "model.channels=[2,2]",
    "data.train_size=200",
    "data.batch_size=65",  # shares of 33 and 32
    "data.eval_batch_size=179",  # of 180 images: the last batch has one, and a process none
    "data.shift.train=2",
    "augment=[rotate]",
    "task.class_weights=[1,2,3,1,2,3,1,2,3,1]",
    "ema=0.9",
    "probes=[kernels]",
    "probe_every=1",
    "logger=[tensorboard,csv]",
    "+callbacks.lr={_target_:pytorch_lightning.callbacks.LearningRateMonitor}",
    "+callbacks.hold={_target_:own_callbacks.Hold}",
)
SUPPORT = str(Path(__file__).parent.parent / "support")
OURS = {"PYTHONPATH": SUPPORT, "CONVEXP_TRUST": "own_callbacks", "OMP_NUM_THREADS": "1"}
NUMBER_OF_FILES = {"result.json": 1, "metrics.csv": 1, "train.log": 1, "events.out.tfevents.*": 2, "checkpoints/*": 2}


def sweep(folder):
    arguments = ("-m", *SMALL, "model=conv,local", "hydra.sweep.dir=sweep", "hydra.launcher.processes=2")
    with started(*arguments, cwd=folder, **OURS) as process:
        assert process.wait(600) == 0, (folder / "out.txt").read_text()


@pytest.fixture
def together(tmp_path_factory):
    """Runs of two processes each, by a launcher that has two runs at the same time."""
    return made_once(tmp_path_factory, "ddp", sweep) / "sweep"


def numbers(value):
    """All numbers in nested containers and tensors."""
    if isinstance(value, torch.Tensor):
        return value.double().flatten().tolist()
    if isinstance(value, dict):
        return [n for key in sorted(value, key=str) for n in numbers(value[key])]
    if isinstance(value, list | tuple):
        return [n for each in value for n in numbers(each)]
    return [float(value)] if isinstance(value, int | float) else []


def rows(folder, *parts):
    """What was logged, without what is left empty."""
    header, *lines = [line.split(",") for line in (folder / "metrics.csv").read_text().splitlines()]
    found = [dict(zip(header, line, strict=True)) for line in lines]
    return [{k: float(v) for k, v in row.items() if v and k.startswith(parts)} for row in found]


@pytest.mark.e2e
@pytest.mark.parametrize("model", ["conv", "local"])
def test_two_processes_train_as_one(model, together, call, monkeypatch, tmp_path):
    for name, value in OURS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.syspath_prepend(SUPPORT)
    done = call("train", *SMALL, f"model={model}", "trainer.devices=1", "hydra.run.dir=alone")
    assert done.code == 0, done.err
    alone, both = tmp_path / "alone", together / model
    for name in ("last", "best"):
        one, two = weights(alone, name), weights(both, name)
        assert two["global_step"] == one["global_step"] > 0
        assert two["epoch"] == one["epoch"]
        for part in ("state_dict", "optimizer_states", "current_model_state"):
            found = numbers(two[part])
            assert len(found) > 100
            assert found == pytest.approx(numbers(one[part]), abs=1e-5)
    logged = ("train/", "val/", "by_epoch/", "lr", "step", "epoch")
    assert len(rows(both, *logged)) == 4  # before the training, and after each epoch
    for one, two in zip(rows(alone, *logged), rows(both, *logged), strict=True):
        assert two == pytest.approx(one, abs=1e-5)
    one, two = science(read(alone)), science(read(both))
    assert numbers(list(two[:3])) == pytest.approx(numbers(list(one[:3])), abs=1e-5)
    assert one[3] != two[3]  # other bits, so it is another run


@pytest.mark.e2e
@pytest.mark.parametrize("model", ["conv", "local"])
def test_everything_is_written_once(model, together):
    folder = together / model
    assert {name: len([*folder.glob(name)]) for name in NUMBER_OF_FILES} == NUMBER_OF_FILES
    record, log = read(folder), (folder / "train.log").read_text()
    assert record["state"] == "finished"
    assert record["hardware"]["processes"] == 2
    assert [row["epoch"] for row in record["by_epoch"]] == [0, 1, 2, 3]
    assert log.count("started at epoch 1") == 1
    assert [log.count(f"INFO epoch {n}, step {2 * n}:") for n in (1, 2, 3)] == [1, 1, 1]
    assert "WARNING" not in log


@pytest.mark.e2e
def test_torchrun_starts_the_same_run(together, tmp_path):
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "-m", "convexp.train"]
    for _ in range(2):
        done = subprocess.run(
            [*command, *SMALL, "model=conv", "hydra.run.dir=run"],
            cwd=tmp_path,
            env={**os.environ, **OURS, "COLUMNS": "200"},
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("epoch 1/3") == done.stdout.count("epoch 3/3") == ("already finished" not in done.stdout)
    assert done.stdout == "run: already finished\n"
    assert equal(tmp_path / "run", together / "conv")
    assert [entry.name for entry in tmp_path.iterdir()] == ["run"]


@pytest.mark.e2e
@pytest.mark.skipif(sys.platform != "linux", reason="names the loopback interface as Linux does")
def test_two_nodes_train_the_same_network(together, tmp_path):
    """Two torchruns on the loopback interface, each with a process; the node without rank 0 writes nothing."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    command = [sys.executable, "-m", "torch.distributed.run", "--nnodes", "2", "--nproc-per-node", "1"]
    command += ["--master-addr", "127.0.0.1", "--master-port", port]
    run = ["-m", "convexp.train", *SMALL, "trainer.devices=1", "trainer.num_nodes=2", "model=conv", "hydra.run.dir=run"]
    nodes, environment = [], {**os.environ, **OURS, "GLOO_SOCKET_IFNAME": "lo"}
    for node in (0, 1):
        (tmp_path / str(node)).mkdir()
        with (tmp_path / f"{node}.txt").open("w") as out:
            arguments = [*command, "--node-rank", str(node), *run]
            nodes.append(subprocess.Popen(arguments, cwd=tmp_path / str(node), env=environment, stdout=out, stderr=out))
    try:
        assert [node.wait(600) for node in nodes] == [0, 0], [(tmp_path / f"{n}.txt").read_text() for n in (0, 1)]
    finally:
        for node in nodes:
            node.kill()
    assert same(weights(tmp_path / "0" / "run"), weights(together / "conv"))
    assert read(tmp_path / "0" / "run")["hardware"]["processes"] == 2
    assert not [*(tmp_path / "1").iterdir()]


def equal(folder, other):
    return same(weights(folder), weights(other)) and science(read(folder)) == science(read(other))


def workers(leader):
    """The other processes of a run whose own process is ``leader``, as long as they live (Linux)."""
    found = []
    for process in Path("/proc").iterdir():
        with suppress(OSError, ValueError):
            parent, state = _parent_and_state(process)
            if state != "Z" and parent == leader and b"ddp_worker" in (process / "cmdline").read_bytes():
                found.append(int(process.name))
    return found


def _parent_and_state(process):
    words = (process / "stat").read_text().rpartition(")")[2].split()
    return int(words[1]), words[0]


def alive(pid):
    try:
        return _parent_and_state(Path("/proc", str(pid)))[1] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.e2e
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes as Linux shows them")
def test_what_survives(together, tmp_path):
    """SIGTERM, then a kill of one process, then a kill of the other: nobody stays behind, and the bits are the same."""
    begin, resume, out = (*SMALL, "model=conv", "hydra.run.dir=run"), ("resume=run",), tmp_path / "out.txt"
    go, held, run = tmp_path / "go", tmp_path / "go.held", tmp_path / "run"

    with started(*begin, cwd=tmp_path, **OURS, CONVEXP_TEST_HOLD=f"0:{go}") as process:
        until(held.exists)
        (worker,) = workers(process.pid)
        process.send_signal(signal.SIGTERM)
        go.touch()
        assert process.wait(300) == 130
    assert "interrupted; to resume" in out.read_text()
    assert read(run)["state"] == "interrupted"
    until(lambda: not alive(worker))
    go.unlink()
    held.unlink()

    with started(*resume, cwd=tmp_path, **OURS, CONVEXP_TEST_HOLD=f"1:{go}") as process:
        until(held.exists)
        worker = int(held.read_text())
        assert workers(process.pid) == [worker]
        os.kill(worker, signal.SIGKILL)
        assert process.wait(300) == 1
    line = "process 1 of the training has ended (killed by SIGKILL, perhaps for want of memory)"
    assert f"convexp-train: {line}" in out.read_text()
    assert "Traceback" not in out.read_text()
    assert read(run)["state"] == "failed"
    assert read(run)["error"] == line
    held.unlink()

    with started(*resume, cwd=tmp_path, **OURS, CONVEXP_TEST_HOLD=f"0:{go}") as process:
        until(held.exists)
        (worker,) = workers(process.pid)
        process.kill()
        process.wait()
        until(lambda: not alive(worker))
    assert read(run)["state"] == "running"

    with started(*resume, cwd=tmp_path, **OURS) as process:
        assert process.wait(300) == 0, out.read_text()
    assert "starting again" not in out.read_text()
    assert equal(run, together / "conv")


@pytest.mark.e2e
def test_a_task_of_your_own_in_python(monkeypatch, tmp_path):
    """It knows nothing of shares of different sizes; ``convexp.train`` starts the other process."""
    for name, value in {**OURS, "CONVEXP_TRUST": "own_tasks"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    settings = ["task=own", "task._target_=own_tasks.Brier", "monitor=val/loss", "callbacks=early_stopping", "probes=none"]
    settings += ["trainer.accelerator=cpu", "trainer.threads=1", "trainer.max_epochs=2", "model.channels=[2,2]"]
    settings += ["data.train_size=200", "data.batch_size=65"]
    before = dict(os.environ)
    both = convexp.train("trainer=ddp", *settings, folder="both", progress=False)
    alone = convexp.train(*settings, folder="alone", progress=False)
    assert dict(os.environ) == before
    assert both.record.hardware.processes == 2
    assert both.record.metrics["test/brier"] == pytest.approx(alone.record.metrics["test/brier"], abs=1e-5)
    found, expected = numbers(both.network.state_dict()), numbers(alone.network.state_dict())
    assert len(found) > 100
    assert found == pytest.approx(expected, abs=1e-5)


ON_CPU = ("trainer=ddp", "trainer.accelerator=cpu")
TORCHRUN = {
    "TORCHELASTIC_RUN_ID": "1",
    "RANK": "0",
    "LOCAL_RANK": "0",
    "WORLD_SIZE": "2",
    "LOCAL_WORLD_SIZE": "2",
}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["trainer.devices=2"], "trainer.devices=2: should be 1 with trainer.strategy=auto; more than one process trains"),
        (["trainer.num_nodes=2"], "trainer.num_nodes=2: should be 1 with trainer.strategy=auto"),
        ([*ON_CPU, "trainer.num_nodes=2"], "trainer.num_nodes=2: start the processes by torchrun on each machine"),
        ([*ON_CPU, "data.batch_size=1"], "data.batch_size=1: is the batch of all processes together; should be 2 or more"),
        ([*ON_CPU, "data.eval_batch_size=1"], "data.eval_batch_size=1: is the batch of all processes"),
        ([*ON_CPU, "model.norm=batch"], "trainer.devices=2: the network has batch normalisation (stages.0."),
        ([*ON_CPU, "data.train_size=20", "trainer.devices=21"], "some of the 21 processes would have no image"),
        (["trainer=ddp", "trainer.accelerator=mps"], "trainer.accelerator=mps: trains in one process"),
        ([*ON_CPU, "trainer.strategy=ddp_spawn"], "trainer.strategy=ddp_spawn: should be 'auto', 'ddp' or"),
    ],
)
def test_what_does_not_go_together_is_said(arguments, message, call, tmp_path):
    done = call("train", *arguments)
    assert done.code == 2
    assert message in done.err
    assert done.err.count("\n") == 1
    assert not [file for file in tmp_path.rglob("*") if file.is_file()]


def test_too_few_gpus_are_said(call, monkeypatch, tmp_path):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    done = call("train", "trainer=ddp", "trainer.accelerator=gpu")
    assert done.code == 2
    assert done.err.startswith("convexp-train: trainer.devices=2: torch sees 1 GPU here; should be at most that")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "torchrun: has started 2 processes for a run in one; add trainer=ddp trainer.devices=2"),
        ([*ON_CPU, "trainer.devices=3"], "trainer.devices=3 trainer.num_nodes=1: torchrun has started 2 processes"),
        (["-m", *ON_CPU, "seed=0,1"], "torchrun: starts a single run, not a sweep"),
    ],
)
def test_torchrun_has_to_agree_with_the_settings(arguments, message, call, monkeypatch, tmp_path):
    for name, value in TORCHRUN.items():
        monkeypatch.setenv(name, value)
    done = call("train", *arguments)
    assert done.code == 2
    assert message in done.err
    assert done.err.count("\n") == 1
    assert not [file for file in tmp_path.rglob("*") if file.is_file()]


def test_one_device_of_ddp_is_one_process(call, tmp_path):
    """And only costs are counted in one."""
    done = call("train", *ON_CPU, "trainer.devices=1", "trainer.fast_dev_run=true", "hydra.run.dir=run", "probes=[]")
    assert done.code == 0, done.err
    assert "processes" not in {name for name, value in read(tmp_path / "run")["hardware"].items() if value is not None}
    done = call("train", *ON_CPU, "only_costs=true", "hydra.run.dir=costs")
    assert done.code == 0, done.err
