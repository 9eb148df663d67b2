"""What is said to set a run apart, typed again, gives the same configuration."""

import pytest
from omegaconf import OmegaConf

from convexp.config import load
from convexp.config.command_line import told
from convexp.config.differences import differences
from convexp.config.hydra_values import without_hydra

LINES = [
    [],
    ["model=local", "data=mnist", "seed=3"],
    ["experiment=ott_mnist"],
    ["experiment=shift_invariant", "model.channels=[4,8]"],
    ["probes=[shift_map,kernels]", "logger=[csv]", "probes.shift_map.max_shift=2"],
    ["probes=none", "logger=none", "debug=overfit", "optimizer=sgd", "+optimizer.dampening=0.1"],
    ["+callbacks.mine={_target_:pytorch_lightning.callbacks.Timer,duration:null}", "+probes.other={_target_:mine.Probe}"],
    ["name='a b'", "data.shift.train=[[0,1],[1,0]]", "resume=null"],
]


@pytest.mark.parametrize("line", LINES, ids=map(" ".join, LINES))
def test_typed_again_it_is_the_same(line):
    cfg = told(line).composed("train")
    said = differences(without_hydra(cfg), cfg.hydra.runtime.choices, told(line), "train")
    again = told(said).composed("train")
    assert OmegaConf.to_container(without_hydra(again)) == OmegaConf.to_container(without_hydra(cfg))
    assert len(said) <= len(line) + 6


def test_nothing_sets_the_defaults_apart():
    cfg = told([]).composed("train")
    assert differences(without_hydra(cfg), cfg.hydra.runtime.choices, told([]), "train") == []


def test_paths_that_were_made_absolute_set_nothing_apart():
    cfg = without_hydra(told(["data=mnist", "data.source.root=."]).composed("train"))
    load(cfg)
    said = differences(cfg, {"data": "mnist"}, told([]), "train")
    assert not any(text.startswith("outputs=") for text in said)
    cfg = without_hydra(told([]).composed("train"))
    load(cfg)
    assert differences(cfg, told([]).composed("train").hydra.runtime.choices, told([]), "train") == []
