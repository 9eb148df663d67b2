"""Tasks other than classification, and a user's own, from the command line to the evaluation of the folder."""

from pathlib import Path

import pytest
import torch
from conftest import SMALL, read
from outcomes import weights

from convexp.config.compose import compose_config
from convexp.errors import ConfigError
from convexp.execution.setup import build_trainee, set_up

MINE = '''
import pytorch_lightning as pl
from torch.nn import functional as F

from convexp.training.tasks.task import Task


class Brier(pl.LightningModule):
    """As a tutorial writes it."""

    def __init__(self, network, make_optimizer, make_scheduler, power=2.0):
        super().__init__()
        self.network, self.make_optimizer, self.power = network, make_optimizer, power

    def configure_optimizers(self):
        return self.make_optimizer(self.parameters())

    def error(self, batch):
        images, labels = batch
        return (self.network(images).softmax(1) - F.one_hot(labels, 10)).abs().pow(self.power).sum(1).mean()

    def training_step(self, batch, batch_idx):
        return self.error(batch)

    def validation_step(self, batch, batch_idx):
        self.log("val/loss", self.error(batch))
        self.log("val/sharp", -self.error(batch))

    def test_step(self, batch, batch_idx):
        self.log("test/brier", self.error(batch))


class Undefined(Brier):
    def validation_step(self, batch, batch_idx):
        self.log("val/loss", self.error(batch) * float("nan"))


class Many(Brier):
    def training_step(self, batch, batch_idx):
        return self.network(batch[0])[:, 0]


class Detached(Brier):
    def training_step(self, batch, batch_idx):
        return self.error(batch).detach()


class Crash(Brier):
    def training_step(self, batch, batch_idx):
        return self.network(batch[0])[:, 99].sum()


class Half(pl.LightningModule):
    def __init__(self, network, make_optimizer, make_scheduler):
        super().__init__()


class Other(pl.LightningModule):
    def __init__(self, model):
        super().__init__()


class Strange:
    def __init__(self, network, make_optimizer, make_scheduler):
        pass
'''
OWN = ("task=own", "trainer=cpu", "trainer.threads=1", "trainer.max_epochs=2", "model.channels=[2,2]", "probes=none")


@pytest.fixture
def mine(tmp_path, monkeypatch):
    (tmp_path / "mine_tasks.py").write_text(MINE)
    monkeypatch.syspath_prepend(str(tmp_path))


REFUSED = {
    "Many": "the loss has shape [32]; should be one number, such as the mean",
    "Detached": "the loss does not depend on the network's weights, or is detached from them",
    "Crash": "first batch: IndexError: index 99 is out of bounds for dimension 1 with size 10 (mine_tasks.py, line ",
    "Half": "has no training_step; should define training_step, validation_step, test_step (docs/tasks.md)",
    "Other": "task.model: is missing",
    "Strange": "task._target_=mine_tasks.Strange: should make a pytorch_lightning.core.module.LightningModule",
    "Brier monitor=val/acc": "monitor=val/acc: is not logged; should be one of val/loss, val/sharp",
    "Brier monitor=val/sharp": "monitor=val/sharp: its name does not tell whether a larger value is better",
    "Brier +task.powre=3": "task.powre: there is no such setting; did you mean power?",
}


def refusal(name, *more):
    """What is said of a task before anything is written; None if it can be trained."""
    try:
        config = compose_config(*OWN, f"task._target_=mine_tasks.{name}", *more)
        build_trainee(set_up(config, Path("run"), None, None))
    except ConfigError as error:
        return str(error)
    return None


@pytest.mark.integration
def test_a_task_that_cannot_be_trained_is_refused_in_one_line_and_leaves_nothing(mine, call, tmp_path):
    for overrides, expected in REFUSED.items():
        said = refusal(*overrides.split())
        assert said is not None
        assert expected in said
        assert "\n" not in said
    assert refusal("Brier") is None
    done = call("train", *OWN, "task._target_=mine_tasks.Many", "hydra.run.dir=run")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert not (tmp_path / "run").exists()


@pytest.mark.integration
def test_a_lightning_module_of_a_users_own_is_trained_tested_and_evaluated(mine, call, tmp_path):
    own = (*OWN, "task._target_=mine_tasks.Brier", "monitor=val/sharp", "monitor_mode=max", "+task.power=2.0")
    done = call("train", *own, "hydra.run.dir=run", "probes=[shift_map,kernels]", "probes.shift_map.max_shift=1")
    assert done.code == 0, done.err
    assert "test brier " in done.out
    result = read(tmp_path / "run")
    assert result["metrics"]["val/sharp"] == -result["metrics"]["val/loss"]
    assert 0 < result["metrics"]["probe/shift_map/mean"] < 1  # the outputs are scores of the classes
    said = call("evaluate", "run=run").out
    assert said.count("as noted; by the run's own code") == 3
    assert "test/brier" in said


@pytest.mark.integration
def test_a_monitored_metric_that_is_never_a_number_is_warned_of(mine, call, tmp_path):
    for name in ("Undefined", "Brier"):
        own = (*OWN, f"task._target_=mine_tasks.{name}", "monitor=val/loss", "trainer.max_epochs=2", "probes=none")
        done = call("train", *own, f"hydra.run.dir={name}")
        assert done.code == 0, done.err
        warned = "val/loss is not a number after any epoch, and the last one is taken for the best"
        assert (
            (f"{name}: {warned}" in done.err)
            == (warned in (tmp_path / name / "train.log").read_text())
            == (name == "Undefined")
        )
        assert read(tmp_path / name)["metrics"]["best_epoch"] == 1


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("data=mnist", "data.image_shape=[1, 28, 28]: should be [1, length]"),
        ("data.image_shape=[2,40]", "data.image_shape=[2, 40]: should be [1, length]"),
        ("data.canvas=50", "task.shape=[1, 40]: should be [1, 50]"),
        ("task.outputs=1", "task.outputs=1: should be 40"),
        ("task.outputs=null", "task.outputs=None: should be 40"),
        ("task.levels=0", "task.levels=0: should be above 0"),
        ("task.levels=-1.5", "task.levels=-1.5: should be above 0"),
    ],
)
def test_what_cannot_be_imitated_is_refused_in_a_line(wrong, said):
    with pytest.raises(ConfigError) as refused:
        compose_config("data=nonlinear_gaussian", "task=imitation", "model=one_layer", "data.shift.train=0", wrong)
    assert str(refused.value).startswith(said)
    assert "\n" not in str(refused.value)


@pytest.mark.integration
def test_a_heat_map_is_trained_and_what_needs_scores_is_skipped(call, tmp_path):
    waldo = ("data=waldo", "data.source.task=location", "data.classes=9", "data.source.train=300", "data.source.test=60")
    shift = ("data.shift.train=2", "data.canvas=36", "data.val_size=60", "probes=[shift_map,kernels]")
    done = call("train", *OWN[1:-1], "task=heat_map", *waldo, *shift, "hydra.run.dir=run")
    assert done.code == 0, done.err
    result = read(tmp_path / "run")
    assert set(result["probes"]["shift_map"]) == {"skipped"}
    assert "skipped" not in result["probes"]["kernels"]
    assert result["network"]["layers"][-1]["output_shape"] == [64]
    assert 0 < result["metrics"]["test/distance"] < 36
    assert call("evaluate", "run=run").out.count("as noted") == 6
    assert "choose data=waldo" in call("train", *OWN[1:], "task=localisation").err
    assert "should be a square number" in call("train", *OWN[1:], "task=heat_map", "task.outputs=60").err


@pytest.mark.integration
@pytest.mark.skipif(not hasattr(torch.optim, "Muon"), reason="this torch has no Muon")
def test_resuming_with_muon_groups_and_the_moving_average_ends_with_the_same_bits(small_run, call, interrupted_at, tmp_path):
    settings = ("probes=shift_map", "model.norm=batch", "optimizer=muon", "ema=0.9", "trainer.max_epochs=3", "logger=csv")
    groups = ("+optimizer.groups.still={kind:[bias,norm],weight_decay:0.0}", "+optimizer.groups.out={kind:readout,lr:0.01}")
    whole = small_run(*settings, *groups, folder="whole")
    with interrupted_at(1, 3):
        assert call("train", *SMALL, *settings, *groups, "hydra.run.dir=part").code == 130
    assert call("train", "resume=part").code == 0
    for name in ("best", "last"):
        one, other = (weights(folder, name) for folder in (whole, tmp_path / "part"))
        for key in ("state_dict", "current_model_state"):
            assert all(torch.equal(one[key][k], other[key][k]) for k in one[key]), key
    first, second = read(whole), read(tmp_path / "part")
    assert first["metrics"]["test/loss"] == second["metrics"]["test/loss"]
    groups_of = first["parameter_groups"]
    assert list(groups_of) == ["rest", "still", "out"]
    assert groups_of["out"] == ["head.classes.weight"]
    assert call("evaluate", "run=whole").out.count("(as noted)") == 4  # best.ckpt holds what was validated and tested
