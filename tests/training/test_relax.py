"""A convolution that goes on as the local or dense layer that it is."""

import shutil
from collections import OrderedDict

import pytest
import torch
from conftest import read
from hypothesis import given
from hypothesis import strategies as st
from outcomes import curves, same, science, weights
from torch import nn

from convexp import runs
from convexp.layers import Conv2d, Dense2d, LocallyConnected2d, LowRankLocallyConnected2d
from convexp.training.checkpoints import BEST
from convexp.training.relax import count_relaxed, load_state, relax

KINDS = {"dense": Dense2d, "local": LocallyConnected2d}


def network(first, padding_mode, bias):
    """Two layers with a batch norm of each channel between them, in float64."""
    options = {"padding": 1, "padding_mode": padding_mode, "bias": bias, "dtype": torch.float64}
    parts = {
        "first": first(2, 3, 3, (5, 4), **options),
        "norm": nn.BatchNorm2d(3).double(),
        "relu": nn.ReLU(),
        "second": Conv2d(3, 2, (3, 2), (5, 4), stride=2, **options),
    }
    return nn.Sequential(OrderedDict(parts))


@pytest.mark.parametrize("first", [Conv2d, LocallyConnected2d, LowRankLocallyConnected2d])
@given(
    to=st.sampled_from(["dense", "local"]),
    padding_mode=st.sampled_from(["zeros", "circular", "reflect"]),
    bias=st.booleans(),
    seed=st.integers(0, 99),
)
def test_the_function_is_the_same_before_and_after_and_only_layers_are_replaced(first, to, padding_mode, bias, seed):
    torch.manual_seed(seed)
    net, x = network(first, padding_mode, bias).eval(), torch.randn(4, 2, 5, 4, dtype=torch.float64)
    before, norm, expected = net(x), net.norm, count_relaxed(net, to)
    assert relax(net, to) == (1 if first is KINDS[to] else 2)
    torch.testing.assert_close(net(x), before, rtol=1e-12, atol=1e-12)
    assert {type(net.first), type(net.second)} == {KINDS[to]}
    assert net.norm is norm
    assert sum(parameter.numel() for parameter in net.parameters()) == expected
    assert not net.first.training  # as the layer that it stands for
    assert relax(net, to) == 0  # it is as weakly constrained as asked for


def test_one_layer_in_two_places_is_still_one():
    layer = Conv2d(2, 2, 3, 5, padding=1)
    net = nn.Sequential(layer, nn.ReLU(), layer)
    assert relax(net, "dense") == 1
    assert net[0] is net[2]
    assert count_relaxed(net, "dense") == sum(parameter.numel() for parameter in net.parameters())


def test_a_checkpoint_says_what_its_network_has_become():
    relaxed, other = (network(Conv2d, "zeros", True) for _ in range(2))
    relax(relaxed, "local")
    checkpoint = {"callbacks": {"Relax": {"to": "local"}}, "state_dict": relaxed.state_dict()}
    load_state(other, checkpoint)
    assert isinstance(other.first, LocallyConnected2d)
    assert same(other.state_dict(), relaxed.state_dict())
    for damaged in ({"to": "sparse"}, {"to": []}, {}, None, "dense"):
        with pytest.raises(RuntimeError):
            load_state(network(Conv2d, "zeros", True), checkpoint | {"callbacks": {"Relax": damaged}})


TINY = ("trainer=cpu", "trainer.threads=1", "trainer.max_epochs=3", "data.train_size=48", "data.batch_size=16", "probe_every=1")
SETTINGS = (*TINY, "model.channels=[2]", "model.kernel_size=3", "probes=distance_from_conv", "callbacks=relax")


def train(call, folder, *settings):
    done = call("train", *SETTINGS, f"hydra.run.dir={folder}", *settings)
    assert done.code in (0, 130), done.err
    return done.code


@pytest.mark.parametrize(("to", "at_epoch", "code"), [("dense", 1, 2), ("dense", 3, 0), ("local", 1, 0)])
def test_what_will_not_fit_into_memory_is_known_before_the_training(to, at_epoch, code, call, tmp_path, monkeypatch):
    monkeypatch.setattr("convexp.machine.memory.free_bytes", lambda: 10_000_000)
    relaxing = (f"callbacks.relax.to={to}", f"callbacks.relax.at_epoch={at_epoch}")
    done = call("train", *SETTINGS, "model.channels=[64]", "playground=false", *relaxing, "hydra.run.dir=run")
    assert done.code == code, done.err
    if code:
        assert done.err.startswith(
            "convexp-train: callbacks.relax.to=dense: does not fit into memory; it takes 0.0 GB for weights"
        )
        assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("to", KINDS)
def test_stopped_after_it_was_relaxed_a_run_goes_on_bit_for_bit_and_is_opened_as_relaxed(to, call, asked_to_stop, tmp_path):
    optimizer = "muon" if hasattr(torch.optim, "Muon") else "adamw"  # muon is two optimizers as one
    settings = (f"callbacks.relax.to={to}", f"optimizer={optimizer}", "scheduler=cosine")
    whole, part = tmp_path / "whole", tmp_path / "part"
    assert train(call, whole, *settings) == 0
    with asked_to_stop(1, 1):
        assert train(call, part, *settings) == 130
    assert weights(part)["callbacks"]["Relax"] == {"to": to}
    assert call("train", f"resume={part}").code == 0
    assert "starting again" not in (part / "train.log").read_text()
    assert science(read(part)) == science(read(whole))
    assert curves(part) == curves(whole)
    assert all(same(weights(part, name)["state_dict"], weights(whole, name)["state_dict"]) for name in ("best", "last"))

    distances = [row["numbers"]["distance_from_conv/distance"] for row in read(whole)["by_epoch"]]  # after 0, 1, 2 and 3 epochs
    assert distances[:2] == [0, 0]
    assert 0 < distances[2] < distances[3]
    opened, counted = runs.open(whole), read(whole)["network"]
    assert type(opened.network.stages[0].wiring) is KINDS[to]
    assert counted["parameters"] < counted["relaxed_parameters"] == sum(p.numel() for p in opened.network.parameters())
    of_weights = 2 * sum(weight.numel() for name, weight in opened.network.named_parameters() if name.endswith("weight"))
    assert counted["relaxed_flops"] == (of_weights if to == "dense" else counted["flops"])
    for name in ("parameters", "flops"):
        assert list(runs.load(whole)[name]) == [counted[f"relaxed_{name}"]]
    assert call("evaluate", f"run={whole}").code == 0


def test_stopped_in_the_epoch_that_it_is_relaxed_in_a_network_is_validated_and_tested(call, tmp_path):
    run = tmp_path / "run"
    assert train(call, run, "trainer.max_steps=4") == 0  # an epoch has 3
    assert weights(run, "best")["global_step"] == 4
    assert type(runs.open(run).network.stages[0].wiring) is Dense2d


def test_a_best_network_that_is_relaxed_already_does_not_relax_the_one_to_be_trained(call, asked_to_stop, tmp_path):
    """As after a kill between two renames, which leaves the last.ckpt of the epoch before beside a new best.ckpt."""
    whole, part = tmp_path / "whole", tmp_path / "part"
    settings = ("trainer.max_epochs=2", "data.eval_batch_size=10000")  # one batch
    assert train(call, whole, *settings) == 0
    with asked_to_stop(0, 0, "validation_step"):
        assert train(call, part, *settings) == 130
    last = weights(part)
    assert "Relax" not in last["callbacks"]
    assert last["callbacks"]["Checkpoints"]["best_epoch"] == 0
    shutil.copyfile(whole / "checkpoints" / BEST, part / "checkpoints" / BEST)
    assert call("train", f"resume={part}").code == 0
    assert "starting again" not in (part / "train.log").read_text()
    assert science(read(part)) == science(read(whole))
    assert same(weights(part)["state_dict"], weights(whole)["state_dict"])


def test_with_no_epoch_left_nothing_is_relaxed(call, tmp_path):
    assert train(call, tmp_path / "plain", "callbacks=none") == 0
    assert train(call, tmp_path / "late", "callbacks.relax.at_epoch=3") == 0
    plain, late = (weights(tmp_path / name) for name in ("plain", "late"))
    assert same(plain["state_dict"], late["state_dict"])
    assert same(plain["optimizer_states"], late["optimizer_states"])
    assert read(tmp_path / "late")["network"]["relaxed_parameters"] is None


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        (["ema=0.9"], "ema=0.9: should be null"),
        (["trainer.devices=2", "trainer=ddp"], "trainer.devices=2: should be 1"),
        (["trainer.check_val_every_n_epoch=2"], "trainer.check_val_every_n_epoch=2: should be 1"),
        (["optimizer=muon", "+optimizer.groups.fixed.kind=bias"], "optimizer.groups={fixed}: should be empty with muon"),
        (
            [
                "+callbacks.average._target_=pytorch_lightning.callbacks.EMAWeightAveraging",
            ],
            "callbacks.relax: does not go with EMAWeightAveraging",
        ),
        (
            ["model=low_rank_local", "callbacks.relax.at_epoch=0", "+optimizer.groups.factor.name='*.combination'"],
            "callbacks.relax: no optimizer for the relaxed network: groups.factor: chooses no parameter",
        ),
        (
            ["model=low_rank_local", "callbacks.relax.at_epoch=0", "+optimizer.groups.all_others.name=['*weight','*bias']"],
            "callbacks.relax: the optimizer has 2 groups of parameters, and 1 after relaxing",
        ),
        (["callbacks.relax.at_epoch=-1"], "at_epoch=-1: should be 0 or more"),
        (["callbacks.relax.to=sparse"], "callbacks.relax.to=sparse: should be one of dense, local"),
        (["model=mlp"], "callbacks.relax.to=dense: the network has no layer to relax"),
    ],
)
def test_what_cannot_be_relaxed_is_refused_in_one_line(settings, named, call, tmp_path):
    done = call("train", *SETTINGS, f"hydra.run.dir={tmp_path / 'run'}", *settings)
    assert done.code == 2
    assert named in done.err
    assert done.err.count("\n") == 1
