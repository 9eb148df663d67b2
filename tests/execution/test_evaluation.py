"""Losses and accuracies: the formula over all samples, however they are cut into batches."""

import json
import math

import pytest
import pytorch_lightning as pl
import torch
from conftest import SMALL, read
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from convexp import runs
from convexp.data import Images, loader, training_loader
from convexp.execution.torch_setup import silence_lightning
from convexp.geometry.placement import OneOf
from convexp.training.tasks.classification import Classification

CLASSES = 3


class Table(nn.Module):
    """Its logits are those in a table, looked up by the image's only pixel; float32."""

    def __init__(self, logits):
        super().__init__()
        self.logits = nn.Parameter(logits)

    def forward(self, images):
        return self.logits[images.flatten().long()]


def trainer(**more):
    silence_lightning()
    return pl.Trainer(
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_model_summary=False,
        enable_progress_bar=False,
        **more,
    )


def samples(n):
    draw = torch.Generator().manual_seed(n)
    logits = torch.randn(n, CLASSES, generator=draw) * 5
    labels = torch.randint(CLASSES, (n,), generator=draw)
    return Table(logits), Images(torch.arange(n, dtype=torch.uint8).reshape(n, 1, 1, 1), labels)


def formula(logits, labels):
    """Mean cross entropy and accuracy in plain Python numbers, which are float64."""
    rows = list(zip(logits.tolist(), labels.tolist(), strict=True))
    losses = [math.log(math.fsum(math.exp(x) for x in row)) - row[label] for row, label in rows]
    hits = [row.index(max(row)) == label for row, label in rows]
    return math.fsum(losses) / len(rows), sum(hits) / len(rows)


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 40), st.integers(1, 41))
@example(37, 36)  # a last batch of one
def test_evaluation_does_not_depend_on_the_batch_size(n, batch_size):
    table, images = samples(n)
    module, found = Classification(table), {}
    found |= trainer().validate(module, loader(images, batch_size), verbose=False)[0]
    found |= trainer().test(module, loader(images, batch_size), verbose=False)[0]
    whole = trainer().test(module, loader(images, n), verbose=False)[0]
    assert found["test/loss"] == whole["test/loss"]  # to the last bit, as the logits are
    assert found["test/acc"] == whole["test/acc"]
    loss, accuracy = formula(table.logits.detach(), images.labels)
    for part in ("val", "test"):
        assert found[f"{part}/loss"] == pytest.approx(loss, rel=5e-7)  # float32
        assert found[f"{part}/acc"] == pytest.approx(accuracy, rel=1e-7)


@pytest.mark.integration
@pytest.mark.parametrize(("n", "batch_size"), [(23, 5), (4, 9), (20, 5)])
def test_the_training_loss_is_the_mean_over_the_samples_seen(n, batch_size):
    table, images = samples(n)
    module = Classification(table, lambda parameters: torch.optim.SGD(parameters, lr=0.0))
    fitting = trainer(max_epochs=1, num_sanity_val_steps=0)
    train = training_loader(images, batch_size, OneOf(((0, 0),)), seed=0)
    fitting.fit(module, train, loader(images, 7))
    train.sampler.set_epoch(0)
    seen = torch.cat([labels * 0 + pixels.flatten() for pixels, labels in train]).long()
    loss, accuracy = formula(table.logits.detach()[seen], images.labels[seen])
    assert float(fitting.callback_metrics["train/loss"]) == pytest.approx(loss, rel=5e-7)
    assert float(fitting.callback_metrics["train/acc"]) == pytest.approx(accuracy, rel=1e-7)


def test_runs_that_differ_in_the_evaluation_batch_size_alone_note_the_same(small_run):
    one, other = (
        read(small_run("probes=shift_map", f"data.eval_batch_size={b}", "monitor=val/loss", folder=str(b))) for b in (359, 512)
    )
    for name in ("val/loss", "val/acc", "test/loss", "test/acc"):
        assert one["metrics"][name] == pytest.approx(other["metrics"][name], rel=1e-6)
    assert one["loss"] == "mean over samples"


def test_eval_tells_a_wrong_note_and_a_mean_over_batches(small_run, call):
    folder = small_run("probes=shift_map", "data.eval_batch_size=359")
    right = read(folder)
    run = runs.open(folder)
    assert len(run.data.test) == 360
    with torch.no_grad():
        batches = [F.cross_entropy(run.network(x), y).item() for x, y in loader(run.data.test, 359)]
    over_batches = sum(batches) / 2  # the last one is a single image

    def told(*without, **metrics):
        changed = {key: value for key, value in right.items() if key not in without}
        changed["metrics"] = right["metrics"] | {name.replace("_", "/"): value for name, value in metrics.items()}
        (folder / "result.json").write_text(json.dumps(changed))
        return call("evaluate", "run=run").out

    assert told().count("(as noted)") == 4
    wrong = told(test_loss=right["metrics"]["test/loss"] * 1.0001, val_acc=right["metrics"]["val/acc"] + 1e-4)
    assert (wrong.count("(as noted)"), wrong.count("(noted: ")) == (2, 2)
    assert f"(noted: {over_batches:.7g}" in told(test_loss=over_batches)
    assert told(test_loss=over_batches).count("mean over batches") == 0  # a result that says what its loss is
    assert told("loss", test_loss=over_batches).count("mean over batches") == 1
    assert told("loss").count("(as noted)") == 4  # written by a torchmetrics that weighted the batches


def test_the_precision_that_ran_is_noted_and_said(call, tmp_path):
    """Half precision on a CPU is bfloat16, whatever was asked for; the numbers are checked in the same precision."""
    for precision in ("16-mixed", "bf16-mixed"):
        own = (f"trainer.precision={precision}", f"hydra.run.dir={precision}", "data.eval_batch_size=7")
        done = call("train", *SMALL, *own)
        assert done.code == 0, done.err
        assert read(tmp_path / precision)["hardware"]["precision"] == "bf16-mixed"
        assert ("trainer.precision=16-mixed: runs as bf16-mixed on this device\n" in done.out) == (precision == "16-mixed")
        assert call("evaluate", f"run={precision}").out.count("(as noted)") == 4
    metrics = [read(tmp_path / precision)["metrics"]["test/loss"] for precision in ("16-mixed", "bf16-mixed")]
    assert metrics[0] == metrics[1]
