"""``resume=DIR trainer.max_epochs=N``: a run that goes on to more epochs is the run that had them from the beginning."""

import json
import shutil

import pytest
from conftest import SMALL, read
from outcomes import curves, same, science, weights
from test_kills import TINY, Copies

import convexp
from convexp import runs
from convexp.config.hydra_files import is_signed, read_saved_config, rewrite_epochs
from convexp.records import collect, read_record

CONSTANT = "scheduler=none"
MUCH = ["model=local", "optimizer=sgd", "data.shift.train=0.2", "model.norm=batch", "probe_every=1"]


def check_same_run(folder, whole):
    assert science(read(folder)) == science(read(whole))
    assert curves(folder) == curves(whole)
    for name in ("best", "last"):
        assert same(weights(folder, name), weights(whole, name)), name
    mine, theirs = (read_saved_config(each, "run").values for each in (folder, whole))
    assert mine | {"name": 0} == theirs | {"name": 0}


def test_longer_is_that_long_from_the_beginning_bit_for_bit(small_run, call, tmp_path):
    whole = small_run(CONSTANT, *MUCH, "trainer.max_epochs=4", folder="whole")
    folder = small_run(CONSTANT, *MUCH)  # 2 epochs
    before = read(folder)
    done = call("train", "resume=run", "trainer.max_epochs=4")
    assert done.code == 0, done.err
    assert "from 2 to 4 epochs" in done.out
    check_same_run(folder, whole)
    (extended,) = read(folder)["extended"]
    assert (extended["from_epochs"], extended["to_epochs"]) == (2, 4)
    assert (extended["identity"], extended["metrics"]) == (before["identity"], before["metrics"])
    assert is_signed(folder)
    assert collect(tmp_path)[0].identity == read(whole)["identity"]

    assert "already finished" in call("train", "resume=run").out  # it is the longer run now: to resume,
    again = ("train", *SMALL, CONSTANT, *MUCH, "trainer.max_epochs=4", "hydra.run.dir=run")
    assert "already finished" in call(*again).out  # and to start


def test_in_double_precision(small_run, call):
    double = (CONSTANT, "trainer.precision=64-true", "trainer.limit_train_batches=3")
    whole = small_run(*double, "trainer.max_epochs=3", folder="whole")
    folder = small_run(*double)  # 2 epochs
    done = call("train", "resume=run", "trainer.max_epochs=3")
    assert done.code == 0, done.err
    check_same_run(folder, whole)


def test_from_python_and_of_a_run_that_was_interrupted(small_run, call, interrupted_at, tmp_path):
    whole = small_run(CONSTANT, "trainer.max_epochs=3", folder="whole")
    with interrupted_at(epoch=1, batch=3):
        assert call("train", *SMALL, CONSTANT, "hydra.run.dir=part").code == 130
    with interrupted_at(epoch=2, batch=0), pytest.raises(KeyboardInterrupt):
        convexp.train("trainer.max_epochs=4", resume="part", progress=False)
    assert read(tmp_path / "part")["state"] == "interrupted"
    run = convexp.train("trainer.max_epochs=3", resume=tmp_path / "part", progress=False)  # and shorter again
    check_same_run(run.folder, whole)
    found = [(each.from_epochs, each.to_epochs, each.metrics) for each in run.record.extended]
    assert found == [(2, 4, {}), (4, 3, {})]
    assert runs.open("part").config.trainer.max_epochs == 3


def test_from_the_middle_of_an_epoch(small_run, call, asked_to_stop, tmp_path):
    whole = small_run(CONSTANT, "trainer.max_epochs=3", folder="whole")
    with asked_to_stop(epoch=1, batch=3):
        assert call("train", *SMALL, CONSTANT, "hydra.run.dir=part").code == 130
    done = call("train", "resume=part", "trainer.max_epochs=1")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "trainer.max_epochs=1: this run has begun epoch 2; should be more" in done.err
    done = call("train", "resume=part", "trainer.max_epochs=3")
    assert done.code == 0, done.err
    assert "started at epoch 2, batch 5" in (tmp_path / "part" / "train.log").read_text()
    check_same_run(tmp_path / "part", whole)


def test_a_kill_leaves_the_old_run_or_a_longer_one_that_can_be_resumed(call, interrupted_at, tmp_path):
    """At every change of a file before the training goes on; what follows is a run that is resumed, as any other."""
    for name, epochs in (("run", 1), ("whole", 2)):
        assert call("train", *TINY, CONSTANT, f"trainer.max_epochs={epochs}", f"hydra.run.dir={name}").code == 0
    old = read(tmp_path / "run")
    copies = Copies(tmp_path / "run", tmp_path / "killed")
    wanted = {"config.yaml", "signature", "metrics.csv", "result.json"}
    replaced = lambda path: path.name in wanted or path.name.startswith(".partial")  # noqa: E731
    with copies.at_every_change(replaced), interrupted_at(epoch=1, batch=0):
        assert call("train", "resume=run", "trainer.max_epochs=2").code == 130
    states = {}
    for folder in sorted(copies.to.iterdir()):
        files = (".hydra/config.yaml", ".hydra/signature", "result.json")
        states[tuple((folder / file).read_bytes() for file in files)] = folder  # the last of those that are alike
    assert len(states) >= 4
    for folder in states.values():
        assert is_signed(folder)
        done = call("train", f"resume={folder}")
        assert done.code == 0, (folder, done.err)
        if read(folder)["identity"] == old["identity"]:
            assert read(folder) == old
            assert call("train", f"resume={folder}", "trainer.max_epochs=2").code == 0
        check_same_run(folder, tmp_path / "whole")


def refused(call, folder, *overrides):
    """The message, after which the folder is as it was."""
    before = {
        file: file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file() and not file.name.startswith((".lock", ".lease-"))
    }
    done = call("train", "resume=run", *overrides)
    assert done.code == 2, done.err
    assert done.err.count("\n") == 1
    assert {file: file.read_bytes() for file in before} == before
    return done.err


@pytest.mark.parametrize(
    ("settings", "overrides", "said"),
    [
        ([], ["trainer.max_epochs=3"], "trainer.max_epochs=3: the learning rates of this run are a schedule over its 2 epochs"),
        ([CONSTANT], ["trainer.max_epochs=1"], "trainer.max_epochs=1: this run has done 2 epochs; should be more"),
        ([CONSTANT], ["trainer.max_epochs=x"], "trainer.max_epochs=x: should be a valid integer"),
        ([CONSTANT], ["trainer.max_epochs=0"], "trainer.max_epochs=0: should be greater than 0"),
        ([CONSTANT], ["trainer.max_epochs=3", "seed=1"], "the run keeps its own configuration; leave out seed=1"),
    ],
)
def test_what_would_be_another_run_is_refused(finished_run, call, settings, overrides, said):
    assert said in refused(call, finished_run(*settings), *overrides)


def test_without_its_checkpoint_a_finished_run_is_kept(finished_run, call):
    folder = finished_run(CONSTANT)
    (folder / "checkpoints" / "last.ckpt").unlink()
    assert "this run cannot go on, checkpoints: last.ckpt is missing" in refused(call, folder, "trainer.max_epochs=3")


def test_a_run_that_was_stopped_early_would_be_stopped_again(small_run, call):
    stopping = ("callbacks=early_stopping", "callbacks.early_stopping.patience=0", "optimizer.lr=1e-9")
    folder = small_run(CONSTANT, *stopping, "trainer.max_epochs=9")
    done = read(folder)["metrics"]["epochs"]
    assert done < 9
    said = f"trainer.max_epochs=20: this run was stopped after {done} of 9 epochs, and would be again"
    assert said in refused(call, folder, "trainer.max_epochs=20")


def test_a_configuration_that_was_not_signed_is_not_signed_afterwards(finished_run, tmp_path):
    folder = finished_run(CONSTANT)
    other = shutil.copytree(folder, tmp_path / "other")
    (other / ".hydra" / "signature").unlink()
    for each, signed in ((folder, True), (other, False)):
        rewrite_epochs(each, 7)
        assert read_saved_config(each, "run").values["trainer"]["max_epochs"] == 7
        assert is_signed(each) == signed
    text = (folder / ".hydra" / "config.yaml").read_text()
    (folder / ".hydra" / "config.yaml").write_text(text.replace("max_epochs: 7", "max_epochs: 8"))
    assert not is_signed(folder)


def test_a_damaged_note_is_named(finished_run):
    folder = finished_run(CONSTANT)
    (folder / "result.json").write_text(json.dumps(read(folder) | {"extended": [{"from_epochs": "two"}]}))
    assert read_record(folder) is None
