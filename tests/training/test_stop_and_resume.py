"""A training that is asked to stop saves what it has done before its next batch, and ends as one that nobody stopped."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from conftest import before_batch, read
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from outcomes import curves, same, science, weights
from shared import made_once
from sweeps import started, until
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import convexp
from convexp.machine import interruption
from convexp.training.checkpoints import Checkpoints
from convexp.training.resuming import position

EPOCHS, BATCHES = 3, 8  # of 8 images; a validation has 5 batches
TINY = (
    "trainer=cpu",
    "trainer.threads=1",
    f"trainer.max_epochs={EPOCHS}",
    "data.train_size=64",
    "data.batch_size=8",
    "data.eval_batch_size=40",
    "probes=none",
)
CONV = ("model.channels=[2]", "model.kernel_size=3")
TRANSFORMER = ("model=vit_tiny", *(f"model.network.{each}" for each in ("layers=1", "heads=1", "hidden_dim=8", "dropout=0.3")))
MONITOR = "+callbacks.rate._target_=pytorch_lightning.callbacks.LearningRateMonitor"
KINDS = {
    "accumulated": [*CONV, "ema=0.9", "scheduler=one_cycle", "augment=[flip]", "trainer.accumulate_grad_batches=2", MONITOR],
    "validated twice": [
        *CONV,
        "trainer.val_check_interval=0.5",
        "callbacks=early_stopping",
        "model.norm=batch",
        "optimizer=adamw",
        "data.shift.train=0.2",
        "ema=0.5",
    ],
    "dropout": [*TRANSFORMER, "probes=[consistency]", "probe_every=1", "trainer.check_val_every_n_epoch=2"],
    "accumulated over validations": [
        *CONV,
        "trainer.accumulate_grad_batches=3",
        "trainer.val_check_interval=0.25",
        "optimizer=sgd",
    ],
    "double precision": [*CONV, "trainer.precision=64-true", "model.norm=batch", "ema=0.5"],
}
moments = st.tuples(st.integers(0, EPOCHS - 1), st.integers(0, BATCHES - 1), st.just("training_step")) | st.tuples(
    st.integers(0, EPOCHS - 1), st.integers(0, 4), st.just("validation_step")
)


def scalars(folder):
    """What TensorBoard shows: steps and values by name, without what a resumed run has written again."""
    events = EventAccumulator(str(folder), {"scalars": 0}).Reload()
    return {
        tag: [(e.step, e.value) for e in events.Scalars(tag)] for tag in events.Tags()["scalars"] if "accounting" not in tag
    }


def check_same(folder, whole):
    assert science(read(folder)) == science(read(whole))
    assert curves(folder) == curves(whole)
    assert scalars(folder) == scalars(whole)
    for name in ("best", "last"):
        mine, theirs = weights(folder, name), weights(whole, name)
        assert mine.keys() == theirs.keys()
        for key in theirs:  # Lightning's counts as well
            assert same(mine[key], theirs[key]), (name, key)


@pytest.fixture
def whole(call, tmp_path_factory):
    """The run of a kind that nobody stopped."""

    def run(kind):
        def train(folder):
            done = call("train", *TINY, *KINDS[kind], f"hydra.run.dir={folder / 'run'}")
            assert done.code == 0, done.err

        return made_once(tmp_path_factory, f"whole {kind}", train) / "run"

    return run


@pytest.mark.integration
@pytest.mark.parametrize("kind", KINDS)
def test_stopped_in_any_batch_it_goes_on_bit_for_bit(kind, whole, call, tmp_path, asked_to_stop):
    """Once or twice, at moments that come one after the other."""

    @settings(max_examples=3, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.lists(moments, min_size=1, max_size=2))
    def check(stops):
        shutil.rmtree(tmp_path / "part", ignore_errors=True)
        for stop in sorted(stops):
            with asked_to_stop(*stop):
                done = call("train", *TINY, *KINDS[kind], "hydra.run.dir=part")
            assert done.code in (130, 0), done.err  # 0: the training was beyond that
        assert call("train", *TINY, *KINDS[kind], "hydra.run.dir=part").code == 0
        assert "starting again" not in (tmp_path / "part" / "train.log").read_text()
        check_same(tmp_path / "part", whole(kind))

    check()


WITHIN = {  # moment: where the run goes on
    (1, 3, "training_step"): (1, 4),
    (0, 0, "training_step"): (0, 1),
    (1, 7, "training_step"): (1, 8),  # with the validation
    (1, 2, "validation_step"): (1, 4),  # with the first of its two
    (2, 4, "validation_step"): (2, 4),  # after it, as this was its last batch
}


@pytest.mark.integration
@pytest.mark.parametrize("moment", WITHIN)
def test_where_it_goes_on(moment, whole, call, tmp_path, asked_to_stop):
    kind, part = "validated twice", tmp_path / "part"
    with asked_to_stop(*moment):
        assert call("train", *TINY, *KINDS[kind], "hydra.run.dir=part").code == 130
    assert read(part)["state"] == "interrupted"
    assert position(weights(part)) == WITHIN[moment]
    epoch, batch = WITHIN[moment]
    assert f"interrupted in epoch {epoch + 1} after {batch} batches" in (part / "train.log").read_text()
    assert call("train", "resume=part").code == 0
    assert f"started at epoch {epoch + 1}, batch {batch + 1}: " in (part / "train.log").read_text()
    assert "not resumable" not in (part / "train.log").read_text()
    check_same(part, whole(kind))


@pytest.mark.integration
@pytest.mark.parametrize("epoch", range(EPOCHS))
@pytest.mark.parametrize("kind", ["accumulated", "validated twice"])
def test_asked_between_two_epochs_of_which_the_first_may_not_be_saved(kind, epoch, whole, call, tmp_path, monkeypatch):
    """It is either saved as the epoch ended, or as soon as the next step is made."""
    original = Checkpoints.on_train_epoch_start

    def asked(self, trainer, module):
        if trainer.current_epoch == epoch:
            interruption.interrupt(signal.SIGTERM, None)
        original(self, trainer, module)

    with monkeypatch.context() as patch:
        patch.setattr(Checkpoints, "on_train_epoch_start", asked)
        assert call("train", *TINY, *KINDS[kind], "hydra.run.dir=part").code == 130
    batches = 2 if kind == "accumulated" else 1
    if (tmp_path / "part" / "checkpoints" / "last.ckpt").exists():
        assert position(weights(tmp_path / "part")) in {(epoch, 0), (epoch, batches)}
    assert call("train", *TINY, *KINDS[kind], "hydra.run.dir=part").code == 0
    check_same(tmp_path / "part", whole(kind))


def damaged(state, how):
    """The checkpoint of an unfinished epoch, changed so that it cannot be resumed from."""
    callback, loop = state["callbacks"]["Checkpoints"], state["loops"]["fit_loop"]["epoch_loop.batch_progress"]["current"]
    match how:
        case "other batches than the loop":
            callback["batches"] += 1
        case "more batches than an epoch has":
            callback["batches"] = loop["completed"] = 99
            state["unfinished_epoch"] = {"losses": torch.zeros(99), "sizes": torch.ones(99), "sums": {"acc": torch.zeros(99)}}
        case "no number of batches":
            callback["batches"] = "4"
        case "no losses":
            del state["unfinished_epoch"]
        case "too few losses":
            state["unfinished_epoch"]["losses"] = state["unfinished_epoch"]["losses"][1:]
        case "no tensors":
            state["unfinished_epoch"]["sums"] = {"acc": [0.0] * callback["batches"]}
    return state


DAMAGES = {
    "other batches than the loop": "counts epochs or batches in two ways",
    "more batches than an epoch has": "is of batch 99, and an epoch has 8",
    "no number of batches": "has no best value and its epoch",
    "no losses": "does not hold the losses of the unfinished epoch",
    "too few losses": "does not hold the losses of the unfinished epoch",
    "no tensors": "does not hold the losses of the unfinished epoch",
}


@pytest.mark.integration
def test_a_damaged_checkpoint_of_an_unfinished_epoch_starts_the_run_again(whole, call, tmp_path, asked_to_stop):
    kind = "accumulated"
    with asked_to_stop(1, 5):
        assert call("train", *TINY, *KINDS[kind], "hydra.run.dir=part").code == 130
    good = weights(tmp_path / "part")
    assert position(good) == (1, 6)
    for how, said in DAMAGES.items():
        folder = shutil.copytree(tmp_path / "part", tmp_path / how.replace(" ", "-"))
        torch.save(damaged(weights(folder), how), folder / "checkpoints" / "last.ckpt")
        done = call("train", f"resume={folder}")
        assert done.code == 0, done.err
        assert said in done.out, how
        check_same(folder, whole(kind))


OWN = '''
import os
import signal
import time
from pathlib import Path

import pytorch_lightning as pl
from torch.nn import functional as F

from convexp.machine import interruption
from convexp.training.tasks.classification import Classification


class Steps(pl.LightningModule):
    """Logs steps only, and keeps nothing."""

    def __init__(self, network, make_optimizer, make_scheduler):
        super().__init__()
        self.network, self.make_optimizer = network, make_optimizer

    def configure_optimizers(self):
        return self.make_optimizer(self.parameters())

    def error(self, batch):
        return F.cross_entropy(self.network(batch[0]), batch[1])

    def training_step(self, batch, batch_idx):
        if self.current_epoch == 1 and batch_idx == 3 and Path("stop").exists():
            Path("stop").unlink()
            signal.raise_signal(signal.SIGTERM)
        loss = self.error(batch)
        self.log("train/loss", loss, on_epoch=self.means)
        return loss

    means = False

    def validation_step(self, batch, batch_idx):
        self.log("val/loss", self.error(batch))

    def test_step(self, batch, batch_idx):
        self.log("test/loss", self.error(batch))


class Means(Steps):
    means = True


class Keeping(Classification):
    def on_train_epoch_start(self):
        super().on_train_epoch_start()


class Counting(pl.Callback):
    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        pass


class Saving(Counting):
    def state_dict(self):
        return {}


class Telling(Saving):
    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        if batch_idx == 50:
            Path(f"begun{os.getpid()}").touch()
            while Path("waiting").exists() and not interruption.noted():
                time.sleep(0.01)


class Preparing(Saving):
    def on_train_epoch_start(self, trainer, pl_module):
        pass
'''
OWN_TASK = (*CONV, "task=own", "monitor=val/loss", "trainer.log_every_n_steps=1")
TASKS = {"Steps": ((1, 4), "resumes there"), "Means": ((1, 0), "as the task logs means over the epoch")}
CALLBACKS = {
    "Counting": "as the callback Counting has a on_train_batch_end",
    "Saving": "resumes there",
    "Preparing": "as the callback Preparing has a on_train_epoch_start",
}


@pytest.fixture
def own(tmp_path, monkeypatch):
    (tmp_path / "own_parts.py").write_text(OWN)
    monkeypatch.syspath_prepend(str(tmp_path))


@pytest.mark.integration
@pytest.mark.parametrize("name", TASKS)
def test_a_task_of_the_users_own_goes_on_where_its_bits_can_be_kept(name, own, call, tmp_path):
    settings = (*TINY, *OWN_TASK, f"task._target_=own_parts.{name}")
    assert call("train", *settings, "hydra.run.dir=whole").code == 0
    (tmp_path / "stop").touch()
    assert call("train", *settings, "hydra.run.dir=part").code == 130
    where, said = TASKS[name]
    assert position(weights(tmp_path / "part")) == where
    assert said in (tmp_path / "part" / "train.log").read_text()
    assert call("train", "resume=part").code == 0
    check_same(tmp_path / "part", tmp_path / "whole")


@pytest.mark.integration
def test_what_may_know_more_of_an_epoch_than_is_saved_is_named(own, call, tmp_path, asked_to_stop):
    parts = {name: f"+callbacks.own._target_=own_parts.{name}" for name in CALLBACKS}
    said = CALLBACKS | {
        "Keeping": "as the task has a on_train_epoch_start",
        "overfit": "as trainer.overfit_batches sets the order",
    }
    parts |= {"Keeping": "task._target_=own_parts.Keeping", "overfit": "trainer.overfit_batches=4"}
    for name, override in parts.items():
        with asked_to_stop(0, 1):
            more = ["task=own"] if name == "Keeping" else []
            assert call("train", *TINY, *CONV, *more, override, f"hydra.run.dir={name}").code == 130, name
        assert said[name] in (tmp_path / name / "train.log").read_text()
        assert (tmp_path / name / "checkpoints" / "last.ckpt").exists() == (name == "Saving")


@pytest.mark.integration
def test_a_second_ctrl_c_in_a_step_and_a_signal_in_the_test_save_nothing_more(
    whole, call, tmp_path, monkeypatch, asked_to_stop
):
    def twice():
        interruption.interrupt(signal.SIGINT, None)
        interruption.interrupt(signal.SIGINT, None)

    kind, part = "validated twice", tmp_path / "part"
    with monkeypatch.context() as patch:
        patch.setattr(*before_batch(1, 3, twice))
        assert call("train", *TINY, *KINDS[kind], "hydra.run.dir=part").code == 130
    assert position(weights(part)) == (1, 0)
    with asked_to_stop(0, 2, "test_step"):  # a trainer of its own, whose epoch is 0
        assert call("train", "resume=part").code == 130
    assert position(weights(part)) == (EPOCHS, 0)
    assert read(part)["state"] == "interrupted"
    assert call("train", "resume=part").code == 0
    check_same(part, whole(kind))


@pytest.mark.integration
def test_an_error_in_saving_the_steps_is_in_the_log_of_the_interrupted_run(call, tmp_path, asked_to_stop, monkeypatch):
    def fail(*_):
        raise RuntimeError("no more space for this")

    monkeypatch.setattr(Checkpoints, "_save_within_epoch", fail)
    with asked_to_stop(1, 3, send=signal.raise_signal):
        assert call("train", *TINY, *CONV, "hydra.run.dir=run").code == 130
    assert read(tmp_path / "run")["state"] == "interrupted"
    assert position(weights(tmp_path / "run")) == (1, 0)
    assert "RuntimeError('no more space for this')" in (tmp_path / "run" / "train.log").read_text()


@pytest.mark.integration
def test_from_python_sigterm_is_handled_and_ctrl_c_is_left_to_python(call, tmp_path, asked_to_stop):
    assert call("train", *TINY, *CONV, "hydra.run.dir=whole").code == 0
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        with asked_to_stop(1, 3, send=signal.raise_signal), pytest.raises(KeyboardInterrupt):
            convexp.train(*TINY, *CONV, folder="part", progress=False)
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGTERM, before)
    assert position(weights(tmp_path / "part")) == (1, 4)
    run = convexp.train(resume="part", progress=False)
    check_same(run.folder, tmp_path / "whole")


@pytest.mark.e2e
def test_a_signal_that_comes_while_lightning_asks_for_one_does_not_end_the_training():
    """Lightning would end it at once, and nothing would be saved; the signal may come between any two instructions.

    In a process of its own: tracing instructions and handling signals change what all tests of a process have in common.
    """
    program = Path(__file__).with_name("asked_between_instructions.py")
    done = subprocess.run([sys.executable, program], capture_output=True, text=True, timeout=120, check=True)
    answers = json.loads(done.stdout.splitlines()[-1])
    assert not any(ends for ends, _ in answers), answers
    assert 3 < sum(heard for _, heard in answers) < len(answers)


SLOW = (*TINY, *CONV, "data.batch_size=2", "data.train_size=800", "trainer.max_epochs=2", "trainer.log_every_n_steps=1")
WATCHED = (*SLOW, MONITOR, "+callbacks.rate.logging_interval=step", "+callbacks.own._target_=own_parts.Telling")


@pytest.fixture
def whole_watched(own, call, tmp_path, tmp_path_factory):
    """The run of ``WATCHED`` that nobody stopped."""

    def train(folder):
        assert call("train", *WATCHED, f"hydra.run.dir={folder / 'run'}").code == 0

    folder = made_once(tmp_path_factory, "whole of real processes", train) / "run"
    for file in tmp_path.glob("begun*"):
        file.unlink()
    return folder


@pytest.mark.e2e
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_real_signal_to_a_real_process_in_its_first_epoch(how, call, whole_watched, tmp_path):
    run = tmp_path / "run"
    with started(*WATCHED, "hydra.run.dir=run", cwd=tmp_path) as process:
        until(lambda: [*tmp_path.glob("begun*")] or process.poll() is not None)
        process.send_signal(how)
        assert process.wait(300) == 130
    assert read(run)["state"] == "interrupted"
    assert 0 < position(weights(run))[1] == weights(run)["global_step"] < 400
    assert not (run / "checkpoints" / "best.ckpt").exists()
    done = call("train", "resume=run")
    assert done.code == 0, done.err
    check_same(run, whole_watched)


@pytest.mark.e2e
def test_the_workers_of_a_sweep_save_their_steps_when_all_are_stopped(own, call, whole_watched, tmp_path):
    """SIGTERM to the whole group reaches the workers twice. Both wait for it within their first epoch, whatever their pace."""
    waiting = tmp_path / "waiting"
    waiting.touch()
    sweep = ("-m", *WATCHED, "hydra.sweep.dir=sweep", "seed=0,1")
    with started(*sweep, "hydra.launcher.processes=2", cwd=tmp_path) as process:
        until(lambda: len([*tmp_path.glob("begun*")]) == 2 or process.poll() is not None)
        os.killpg(process.pid, signal.SIGTERM)
        assert process.wait(300) == 130
    for seed in (0, 1):
        folder = tmp_path / "sweep" / f"seed{seed}"
        assert read(folder)["state"] == "interrupted"
        assert 0 < position(weights(folder))[1] <= 400
    waiting.unlink()
    assert call("train", *sweep).code == 0
    check_same(tmp_path / "sweep" / "seed0", whole_watched)
