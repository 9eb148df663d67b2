"""What is said to set a run apart, typed again, gives the same configuration."""

import pytest
from omegaconf import OmegaConf

from convexp.config import load_config
from convexp.config.command_line.parse import parse_command_line
from convexp.config.differences import differences
from convexp.config.hydra_context import without_hydra

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
    cfg = parse_command_line(line).compose("train")
    said = differences(without_hydra(cfg), cfg.hydra.runtime.choices, parse_command_line(line), "train")
    again = parse_command_line(said).compose("train")
    assert OmegaConf.to_container(without_hydra(again)) == OmegaConf.to_container(without_hydra(cfg))
    assert len(said) <= len(line) + 6


def test_nothing_sets_the_defaults_apart():
    cfg = parse_command_line([]).compose("train")
    assert differences(without_hydra(cfg), cfg.hydra.runtime.choices, parse_command_line([]), "train") == []


def test_paths_that_were_made_absolute_set_nothing_apart():
    cfg = without_hydra(parse_command_line(["data=mnist", "data.source.root=."]).compose("train"))
    load_config(cfg)
    said = differences(cfg, {"data": "mnist"}, parse_command_line([]), "train")
    assert not any(text.startswith("outputs=") for text in said)
    cfg = without_hydra(parse_command_line([]).compose("train"))
    load_config(cfg)
    assert (
        differences(cfg, parse_command_line([]).compose("train").hydra.runtime.choices, parse_command_line([]), "train") == []
    )
