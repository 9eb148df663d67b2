"""Runs write their network for the page, and no run fails for it."""

import pytest
import torch
from conftest import SMALL, read
from torch import nn

import convexp.execution.playground as export
from convexp import runs
from convexp.execution.playground import export_playground
from convexp.records.playground import FILE, read_playground
from convexp.records.playground_format import Playground

SHIFTED = ("data.shift.train=3", "data.shift.test=3", "data.position=random")


@pytest.mark.integration
def test_a_run_writes_its_best_network_and_the_first_test_images_unshifted(finished_run):
    folder = finished_run("model=local", *SHIFTED)
    opened, found = runs.open(folder), read_playground(folder)
    assert isinstance(found, Playground)
    shown = torch.frombuffer(bytearray(found.images.data), dtype=torch.uint8).view(20, 1, 16, 16)
    images, labels = opened.data.test.batch(torch.arange(20), None)
    assert found.images.label == labels.tolist()
    assert torch.equal(shown.sum((1, 2, 3)), images.sum((1, 2, 3)))  # nothing is cut off
    assert not torch.equal(shown, opened.data.test.first(20)[0])  # nor shifted
    assert found.content == (8, 8)
    assert (found.input.height, found.input.width, found.protocol) == (16, 16, "zero_fill")
    assert found.input.mean == pytest.approx(opened.data.mean, rel=1e-6)
    assert found.input.std == pytest.approx(opened.data.std, rel=1e-6)
    before = (folder / FILE).read_bytes()
    export_playground(opened.network, opened.data, opened.config, folder)
    assert (folder / FILE).read_bytes() == before  # the best checkpoint, and the same bytes each time
    other = export_playground(nn.Linear(2, 3), opened.data, opened.config, folder)
    assert other.startswith("The network is left out: it is a Linear")
    assert read_playground(folder).left_out == other
    task = opened.config.task.model_copy(update={"outputs": 2})
    boxes = opened.config.model_copy(update={"task": task})
    assert "are no scores of classes" in export_playground(opened.network, opened.data, boxes, folder)


@pytest.mark.integration
def test_an_older_run_gets_its_file_from_convexp_eval_and_a_crop_is_no_larger_than_its_window(finished_run, call):
    folder = finished_run("data.shift.protocol=crop", "data.canvas=null", "data.shift.train=1")
    before = (folder / FILE).read_bytes()
    assert read_playground(folder).content == (6, 6)
    (folder / FILE).unlink()
    done = call("evaluate", "run=run")
    assert done.code == 0
    assert f"{FILE}: {len(before):,} bytes" in done.out
    assert (folder / FILE).read_bytes() == before
    assert FILE not in call("evaluate", "run=run").out
    (folder / FILE).write_bytes(before[:-9])
    assert FILE in call("evaluate", "run=run").out
    assert (folder / FILE).read_bytes() == before  # a damaged one is replaced


@pytest.mark.integration
def test_a_run_that_has_not_finished_is_evaluated_as_such_and_gets_no_file(call, interrupted_at, tmp_path):
    with interrupted_at(epoch=1, batch=0):
        assert call("train", *SMALL, "hydra.run.dir=run").code == 130
    done = call("evaluate", "run=run")
    assert done.code == 0
    assert done.err == "convexp-eval: the run has not finished; this is the best network that it has found so far\n"
    assert not (tmp_path / "run" / FILE).exists()


@pytest.mark.integration
def test_the_setting_turns_it_off_and_is_outside_the_identity(finished_run, small_run, call):
    folder = finished_run()
    off = small_run("playground=false", folder="off")
    assert not (off / FILE).exists()
    assert (folder / FILE).exists()
    assert read(off)["identity"] == read(folder)["identity"]
    assert FILE in call("evaluate", "run=off").out  # which is how to get it later
    assert (off / FILE).read_bytes() == (folder / FILE).read_bytes()


@pytest.mark.integration
@pytest.mark.parametrize("broken", ["lower", "write_playground"])
def test_no_run_fails_for_it(small_run, monkeypatch, broken):
    def fail(*_arguments: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(export, broken, fail)
    folder = small_run("trainer.max_epochs=1")
    assert read(folder)["state"] == "finished"
    assert "no space left" in (folder / "train.log").read_text()
    assert (folder / FILE).exists() == (broken == "lower")
