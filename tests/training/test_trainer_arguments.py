"""What Lightning's Trainer takes is a setting, is resumed exactly, and does what it says; so do one's own callbacks."""

import inspect
import math

import pytest
import pytorch_lightning as pl
import torch
from conftest import SMALL, read
from outcomes import curves, same, science, weights

from convexp.config.compose import compose_config
from convexp.config.schema import Trainer
from convexp.config.signatures.trainer import REFUSED, trainer_signature
from convexp.records import identity_hash

TINY = (*(text for text in SMALL if not text.startswith("probes.")), "probes=none", "logger=csv")
FAST = (*TINY, "trainer.limit_train_batches=10", "trainer.limit_val_batches=1")
KEYS = ("state_dict", "optimizer_states", "lr_schedulers", "callbacks")
SANITY = ("trainer.num_sanity_val_steps=1", "model.norm=batch")
OWN = "+callbacks.mine={_target_:own_callbacks.%s,every:1}"


@pytest.fixture
def train(call, tmp_path):
    """Trains a tiny network without probes; returns the run's folder."""

    def run(*overrides, folder="run"):
        done = call("train", f"hydra.run.dir={folder}", *overrides)
        assert done.code == 0, done.err
        return tmp_path / folder

    return run


def test_every_argument_of_the_trainer_is_a_setting_or_refused_with_a_reason():
    arguments = set(inspect.signature(pl.Trainer).parameters)
    assert set(REFUSED) <= arguments
    assert set(trainer_signature().schemas) == arguments - set(REFUSED)
    assert set(trainer_signature().schemas) <= set(Trainer.model_fields)  # a newer Lightning may have further ones
    assert set(Trainer.model_fields) - arguments == {"threads", "cuda_graph"}


def test_the_docstring_of_the_trainer_explains_them():
    assert "over k batches" in trainer_signature().meanings["accumulate_grad_batches"]


def test_a_setting_that_is_not_used_leaves_the_identity_as_it_was():
    before = identity_hash(compose_config().identity())
    assert identity_hash(compose_config("trainer.log_every_n_steps=7").identity()) == before
    assert identity_hash(compose_config("trainer.accumulate_grad_batches=1").identity()) == before
    assert identity_hash(compose_config("trainer.accumulate_grad_batches=2").identity()) != before


def test_k_batches_of_b_are_one_batch_of_k_times_b(train):
    """With SGD and the same order of images; the schedule has the same number of steps."""
    sgd = (*TINY, "optimizer=sgd", "scheduler=cosine", "trainer.max_epochs=1")
    one = train(*sgd, "data.batch_size=128", "data.train_size=1024", folder="one")
    many = train(*sgd, "data.batch_size=32", "data.train_size=1024", "trainer.accumulate_grad_batches=4", folder="many")
    assert read(one)["metrics"]["steps"] == read(many)["metrics"]["steps"] == 8
    assert weights(one)["lr_schedulers"][0]["last_epoch"] == weights(many)["lr_schedulers"][0]["last_epoch"] == 8
    for name, value in weights(one, "last")["state_dict"].items():
        assert torch.allclose(value, weights(many, "last")["state_dict"][name], atol=1e-5), name


@pytest.mark.parametrize(
    ("more", "interruption", "steps", "validations"),
    [
        # ends in the middle of the fourth epoch; validated before the training, twice in an epoch and at the end
        (
            ["trainer.max_steps=17", "trainer.accumulate_grad_batches=2", "trainer.val_check_interval=0.5", *SANITY],
            (2, 7),
            17,
            8,
        ),
        # interrupted before anything is the best
        (["trainer.check_val_every_n_epoch=2", "trainer.gradient_clip_val=0.1"], (1, 3), 50, 2),
        # Lightning goes on until min_epochs after the callback has asked to stop
        (["callbacks=early_stopping", "callbacks.early_stopping.patience=0", "trainer.min_epochs=4"], (3, 4), None, None),
    ],
)
def test_resumed_is_uninterrupted(train, call, tmp_path, interrupted_at, monkeypatch, more, interruption, steps, validations):
    monkeypatch.setenv("CONVEXP_TRUST", "own_callbacks")
    own = "+callbacks.mine={_target_:own_callbacks.Accuracies,every:1}"
    overrides = [*FAST, own, "trainer.max_epochs=5", *more]
    whole, part = train(*overrides, folder="whole"), tmp_path / "part"
    with interrupted_at(*interruption):
        assert call("train", "hydra.run.dir=part", *overrides).code == 130
    assert call("train", "resume=part").code == 0
    assert "started at epoch 1" not in (part / "train.log").read_text().partition("interrupted")[2]
    assert science(read(part)) == science(read(whole))
    for name in ("best", "last"):
        a, b = weights(whole, name), weights(part, name)
        different = [key for key in KEYS if not same(a[key], b[key])]
        assert different == []
    assert curves(part) == curves(whole)
    seen = next(state["seen"] for key, state in weights(part, "last")["callbacks"].items() if "Accuracies" in key)
    assert steps is None or (read(part)["metrics"]["steps"], len(seen)) == (steps, validations)


def test_a_state_that_becomes_code_fails_the_run_in_one_line(call, tmp_path):
    done = call("train", *FAST, "hydra.run.dir=run", OWN % "ArraysLater")
    assert done.code == 1
    assert done.err.count("\n") == 1
    assert "numpy.ndarray at ['seen']" in done.err


def test_the_best_epoch_is_one_that_was_validated(train):
    folder = train(*FAST, "trainer.max_epochs=3", "trainer.check_val_every_n_epoch=2")
    assert read(folder)["metrics"]["best_epoch"] == 1
    assert math.isfinite(read(folder)["metrics"]["val/acc"])
    assert "val/acc" not in (folder / "train.log").read_text().split("epoch 3,")[1].split("\n")[0]
