"""The JSON schemas that editors read: shipped files match them, and what they refuse, convexp's own checks refuse."""

import copy
import json
from functools import cache
from pathlib import Path

import pytest
import yaml
from conftest import ROOT
from hydra import compose
from jsonschema import Draft7Validator
from omegaconf import OmegaConf

from convexp.config import parse_config
from convexp.config.checks.targets import check_targets
from convexp.config.hydra_context import isolated_hydra
from convexp.config.json_schemas.conf_files import read_conf_files
from convexp.config.json_schemas.write import FOLDER, as_text, comment_of, made_with, schemas_of
from convexp.config.options import title
from convexp.errors import ConfigError

CONF = ROOT / "conf"
FILES = [file for file in read_conf_files([CONF]) if file.group != "local"]


@cache
def schemas():
    return schemas_of(CONF)


def complaints(name, text):
    return [error.message for error in Draft7Validator(schemas()[name]).iter_errors(yaml.safe_load(text) or {})]


def test_they_are_schemas_of_draft_7():
    for schema in schemas().values():
        Draft7Validator.check_schema(schema)


def test_the_shipped_schemas_are_current():
    folder = CONF / FOLDER
    shipped = {file.name: json.loads(file.read_text(encoding="utf-8")) for file in folder.glob("*.json")}
    if any(schema["$comment"] != made_with() for schema in shipped.values()):
        pytest.skip(f"they are not {made_with()}, as others would be")
    current = {name: json.loads(as_text(schema)) for name, schema in schemas().items()}
    changed = sorted(name for name in {*shipped, *current} if shipped.get(name) != current.get(name))
    assert changed == [], "a setting, its comment or its meaning has changed: call make schemas, and commit conf/.schemas"


def test_every_shipped_file_matches_its_schema():
    assert len(FILES) >= 83
    for file in FILES:
        assert complaints(file.schema, file.path.read_text()) == [], file.path


def test_every_shipped_file_tells_editors_of_its_schema():
    for file in FILES:
        lines = file.path.read_text().splitlines()
        assert comment_of(file, CONF) in lines, f"{file.path}: is new; call make schemas"
        assert file.schema in schemas()
        assert title(file.path)
        assert "yaml-language-server" not in title(file.path)


GLOBAL = "train.json"
WRONG = {
    "a typo in a setting": (GLOBAL, "model: {readuot: flatten}"),
    "a typo in a section": (GLOBAL, "optimiser: {lr: 0.1}"),
    "a typo in a file of a group": ("model.json", "defaults: [skeleton]\nnmae: mine"),
    "a typo in an argument": ("optimizer.json", "_target_: torch.optim.SGD\n_partial_: true\nlr: 0.1\nmomentun: 0.9"),
    "an argument of another target": ("optimizer.json", "_target_: torch.optim.Adam\n_partial_: true\nlr: 0.1\nmomentum: 0.9"),
    "a typo in an argument of a target that another file names": (GLOBAL, "probes: {shift_map: {max_shfit: 3}}"),
    "a wrong type": (GLOBAL, "trainer: {max_epochs: many}"),
    "a typo in an argument of the Trainer": (GLOBAL, "trainer: {acumulate_grad_batches: 2}"),
    "an argument of the Trainer that is convexp's own": ("trainer.json", "defaults: [auto]\nsync_batchnorm: true"),
    "a kind of parameters that there is not": (GLOBAL, "optimizer: {groups: {no_decay: {kind: biases}}}"),
    "a wrong type of an argument": (GLOBAL, "probes: {shift_map: {max_shift: few}}"),
    "an unknown choice": (GLOBAL, "model: {readout: global_average}"),
    "an unknown choice of an argument": (GLOBAL, "probes: {shift_map: {protocol: crup}}"),
    "a number out of range": (GLOBAL, "data: {batch_size: 0}"),
    "an argument that is missing": ("callbacks.json", "mine: {_target_: convexp.training.callbacks.early_stopping}"),
    "no call that waits for its arguments": ("optimizer.json", "_target_: torch.optim.SGD\n_partial_: false\nlr: 0.1"),
    "a group that does not exist": (GLOBAL, "defaults: [override /modle: conv]"),
    "a setting of evaluation": ("eval.json", "runn: outputs"),
}
RIGHT = {
    "part of the settings": (GLOBAL, "model: {stride: 1}\nprobes: {shift_map: {max_shift: 7}}"),
    "an interpolation": (
        GLOBAL,
        "trainer: {max_epochs: '${seed}'}\nname: a-${seed}\nprobes: {consistency: '${probes.shift_map}'}",
    ),
    "what the user has to say": ("data.json", "defaults: [images]\nname: mine\nclasses: ???"),
    "nothing in place of a section": (GLOBAL, "scheduler: null\ncallbacks: null"),
    "a list of options": (GLOBAL, "defaults: [base, _self_, override /probes: [shift_map, mine], /model@model: conv]"),
    "a class of one's own": ("optimizer.json", "_target_: mine.Optimizer\n_partial_: true\nlr: 0.1\nanything: 1"),
    "a probe of one's own": ("probes.json", "mine: {_target_: mine.Probe, width: 3}"),
    "one value for each stage": (GLOBAL, "model: {kernel_size: [5, 3], padding: [same, 2]}"),
    "an empty file": (GLOBAL, ""),
    "groups of parameters": (
        GLOBAL,
        "optimizer: {groups: {no_decay: {kind: [bias, norm], weight_decay: 0.0, betas: [0.9, 0.9]}}}",
    ),
    "a task of one's own": ("task.json", "_target_: mine.Task\n_partial_: true\nmonitor: val/loss\noutputs: 3\nweight: 2.0"),
}


@pytest.mark.parametrize("what", WRONG)
def test_wrong_files_are_refused(what):
    assert complaints(*WRONG[what])


@pytest.mark.parametrize("what", RIGHT)
def test_right_files_are_not(what):
    assert complaints(*RIGHT[what]) == []


BAD = ["x", [1, "a"], {"a": 1}, None, True, -1, 1.5]


def _settings(values, path=()):
    for key, value in values.items():
        yield from _settings(value, (*path, key)) if isinstance(value, dict) and value else [(*path, key)]


def _with(values, path, value):
    changed = copy.deepcopy(values)
    section = changed
    for key in path[:-1]:
        section = section[key]
    section[path[-1]] = value
    return changed


@pytest.mark.integration
@pytest.mark.parametrize("overrides", [["probes=all"], ["model=low_rank_local", "data=waldo", "optimizer=sgd", "probes=none"]])
def test_what_is_refused_is_refused_by_our_own_checks_too(overrides):
    with isolated_hydra():
        base = OmegaConf.to_container(compose("train", overrides), resolve=True)
    validator = Draft7Validator(schemas()[GLOBAL])
    assert not list(validator.iter_errors(base))
    check_targets(parse_config(base))
    refused = 0
    for path in _settings(base):
        for value in BAD:
            below = base[path[0]] if len(path) == 1 else {path[0]: _with(base[path[0]], path[1:], value)}
            part = {path[0]: value} if len(path) == 1 else below
            if validator.is_valid(part):
                continue
            refused += 1
            with pytest.raises(ConfigError):
                check_targets(parse_config(_with(base, path, value)))
    assert refused > 200


def test_every_setting_says_what_it_means():
    def settings(schema, path=""):
        for part in schema.get("anyOf", []):
            yield from settings(part, path)
        for name, below in schema.get("properties", {}).items():
            yield f"{path}.{name}".lstrip("."), below
            yield from settings(below, f"{path}.{name}")

    described = {}
    for setting, schema in settings(schemas()[GLOBAL]):
        described.setdefault(setting, schema.get("description"))
    leaves = [setting for setting in described if setting.startswith(("model.", "data.", "trainer.", "optimizer."))]
    assert len(leaves) > 40
    assert [setting for setting in leaves if not described[setting] and setting != "data.source"] == []
    assert "unit by unit" in described["model.readout"]


LAYER = '''
class Mine:
    """A layer.

    Args:
        block: side of the blocks that share a kernel.
    """

    def __init__(self, in_channels, out_channels, kernel_size, input_size, stride, padding, dilation, padding_mode,
                 block: int = 2): ...
'''


def test_a_folder_of_ones_own(tmp_path, monkeypatch, call):
    (tmp_path / "own_layers.py").write_text(LAYER)
    monkeypatch.syspath_prepend(tmp_path)
    conf = tmp_path / "conf"
    model = "# Mine.\ndefaults: [skeleton, _self_]\nname: mine\nwiring:\n  _target_: own_layers.Mine\n  _partial_: true\n"
    study = "# @package _global_\n# A study.\ndefaults: [base, _self_, override /model: mine]\n"
    for name, text in (("model/mine", model), ("study/mine", study)):
        (conf / name).parent.mkdir(parents=True)
        (conf / f"{name}.yaml").write_text(text)
    done = call("schemas", str(conf))
    assert (done.code, "2 files" in done.out) == (0, True), done.err
    assert "0 files" in call("schemas", str(conf)).out
    head = (conf / "study/mine.yaml").read_text().splitlines()
    assert head[:3] == ["# @package _global_", "# yaml-language-server: $schema=../.schemas/train.json", "# A study."]
    schema = json.loads((conf / ".schemas/model.json").read_text())
    wiring = json.dumps(schema)
    assert "side of the blocks" in wiring
    validator = Draft7Validator(schema)
    right = yaml.safe_load(model) | {"wiring": {"_target_": "own_layers.Mine", "_partial_": True, "block": 3}}
    assert validator.is_valid(right)
    for wrong in ({"blokc": 3}, {"block": "x"}):
        assert not validator.is_valid(right | {"wiring": {"_target_": "own_layers.Mine", "_partial_": True} | wrong})
    done = call("train", "--config-dir", str(conf), "--help", "model")
    assert "mine" in done.out
    assert ".schemas" not in done.out


def test_a_folder_without_groups_is_refused(tmp_path, call):
    done = call("schemas", str(tmp_path))
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert list(Path(tmp_path).iterdir()) == []
