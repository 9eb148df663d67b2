"""A run folder may come from anybody: what SECURITY.md promises to those who evaluate, resume or open it."""

import pickle
import re
import shutil
from pathlib import Path

import pytest
import torch
import yaml
from conftest import ROOT, SMALL, read
from pytorch_lightning.callbacks import ModelCheckpoint

from convexp import runs
from convexp.cli.run import resume_command
from convexp.config import parse_trusted_config
from convexp.config.checks import machine
from convexp.config.compose import compose_config
from convexp.config.hydra_files import read_saved_config
from convexp.config.trust import ALLOWED
from convexp.errors import ConfigError
from convexp.files.yaml_files import LARGEST

pytestmark = pytest.mark.integration

QUICK = (*(setting for setting in SMALL if not setting.startswith("probes")), "probes=none")
OPTION = re.compile(r"_target_: (\w\S+)")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run that was interrupted after two epochs."""
    from convexp.cli.train import main
    from convexp.files.json_files import write_json

    place = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        patch.setattr("sys.argv", ["convexp-train", *QUICK, "hydra.run.dir=run"])
        main()
    write_json(place / "run" / "result.json", read(place / "run") | {"state": "interrupted"})
    return place / "run"


@pytest.fixture
def folder(trained, tmp_path):
    shutil.copytree(trained, tmp_path / "run")
    return tmp_path / "run"


def change(folder, setting, value):
    """Put a value into the configuration of a run folder, as it is."""
    file = folder / ".hydra" / "config.yaml"
    config = yaml.safe_load(file.read_text())
    *sections, name = setting.split(".")
    place = config
    for section in sections:
        place[section] = place.get(section) or {}
        place = place[section]
    place[name] = value
    file.write_text(yaml.safe_dump(config))


def answers(call, folder):
    """What convexp-eval, convexp-train resume= and runs.open say of a folder that they have to refuse."""
    for arguments in (("evaluate", "run=run"), ("train", "resume=run")):
        done = call(*arguments)
        assert done.code == 2, done.out + done.err
        assert done.err.count("\n") == 1, done.err
        yield done.err
    with pytest.raises(ConfigError) as refused:
        runs.open(folder)
    yield str(refused.value)


def refused(folder):
    """The same, by the function that all three ask."""
    with pytest.raises(ConfigError) as error:
        parse_trusted_config(read_saved_config(folder, "run").values)
    assert "\n" not in str(error.value)
    return str(error.value)


class Payload:
    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return Path.touch, (self.marker,)


@pytest.fixture
def payload(tmp_path):
    """A pickle that makes a file when it is loaded, and that file."""
    (tmp_path / "payload.pkl").write_bytes(pickle.dumps(Payload(tmp_path / "executed")))
    yield tmp_path / "payload.pkl"
    assert not (tmp_path / "executed").exists()


def interpolation(payload, escapes):
    return "\\" * escapes + "${oc.create:{_target_:joblib.load,filename:" + str(payload) + "}}"


def test_what_would_be_interpreted_is_not_executed(folder, call, payload):
    change(folder, "data.source.test_size", interpolation(payload, escapes=1))
    assert all("interpreted" in said for said in answers(call, folder))


PLACES = [
    "name",
    "model.wiring.x",
    "optimizer.betas",
    "scheduler.warmup",
    "probes.x",
    "callbacks.x",
    "logger.x",
    "study",
    "data.name",
]


@pytest.mark.parametrize("setting", PLACES)
def test_nothing_is_interpreted_anywhere(folder, payload, setting):
    for escapes in range(4):
        text = interpolation(payload, escapes)
        for value in (text, [0.9, text], {text: 1}, {"deep": [{"deeper": text}]}):
            change(folder, setting, value)
            assert "interpreted" in refused(folder)


def test_no_secret_is_looked_up(folder, monkeypatch):
    monkeypatch.setenv("SECRET", "do not tell")
    file = folder / ".hydra" / "config.yaml"
    for text in ("${oc.env:SECRET}", '"\\x24{oc.env:SECRET}"', '"$\\\n  {oc.env:SECRET}"'):
        lines = [line for line in file.read_text().splitlines() if not line.startswith("name:")]
        file.write_text("\n".join([*lines, f"name: {text}"]))
        assert "do not tell" not in refused(folder)


FOREIGN = [
    "os.system",
    "torch.hub.load",
    "builtins.eval",
    "convexp.cli.application.os.system",
    "convexp.machine.environment._git",
    "convexp.files.json_files.write_json",
    "convexp.data.cache.cached_folder",
    "convexp.data.scan.scan",
    "convexp.layers.local.torch.load",
    "torch.optim.adam.torch.load",
    "convexp.tracking.trackers._need",
    "convexp.training.checkpoints.Checkpoints",
    "pytorch_lightning.callbacks.ModelCheckpoint",
    "pytorch_lightning.Trainer",
    "../../evil.Layer",
    "",
    "joblib",
]
SECTIONS = ["model.wiring", "data.source", "optimizer", "scheduler", "probes.x", "logger.x", "callbacks.x"]


@pytest.mark.parametrize("section", SECTIONS)
def test_foreign_code_is_refused(folder, section):
    for target in FOREIGN:
        change(folder, f"{section}._target_", target)
        assert section in refused(folder)


def test_foreign_code_is_refused_in_the_grid_of_a_study_and_own_code_is_not(folder):
    for target in [*FOREIGN, "convexp.layers.local.LocallyConnected2d"]:
        grid = {"model.wiring": [{"_target_": target}]}
        change(folder, "study", {"name": "mine", "question": "Which one", "grid": grid})
        if target in FOREIGN:
            assert "study.grid" in refused(folder)
    assert parse_trusted_config(read_saved_config(folder, "run").values).study.grid == grid


@pytest.mark.parametrize("section", ["model.wiring", "data.source", "optimizer", "scheduler"])
def test_foreign_code_is_refused_however_deep(folder, section):
    for target in FOREIGN:
        change(folder, f"{section}.deep", [{"deeper": {"_target_": target}}])
        assert f"{section}.deep" in refused(folder)


def test_foreign_code_is_refused_by_all(folder, call):
    change(folder, "model.wiring._target_", "os.system")
    assert all("model.wiring._target_=os.system" in said for said in answers(call, folder))


@pytest.mark.parametrize("target", ["convexp.data.npz.npz", "torch.optim.Adam", "convexp.probes.structure.kernels.Kernels"])
def test_each_setting_names_only_what_belongs_there(folder, target):
    change(folder, "model.wiring._target_", target)
    assert "model.wiring" in refused(folder)


def test_a_package_that_is_named_is_not_imported(folder, tmp_path, monkeypatch, call):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "mine.py").write_text("from pathlib import Path; Path('executed').touch()")
    change(folder, "model.wiring._target_", "mine.Layer")
    assert all("CONVEXP_TRUST" in said for said in answers(call, folder))
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize("key", ["_args_", "_recursive_", "_convert_"])
def test_arguments_are_given_by_name_only(folder, key):
    change(folder, f"optimizer.{key}", [1])
    assert key in refused(folder)


def test_all_that_convexp_offers_is_trusted_but_what_sends_away():
    offered = {
        (file.parent.name, name)
        for group in ALLOWED
        for file in Path(ROOT, "conf", group).glob("*.yaml")
        for name in OPTION.findall(file.read_text())
    }
    assert len(offered) > 30
    refused = {name for group, name in offered if not re.fullmatch(ALLOWED[group], name)}
    assert refused == {f"convexp.tracking.trackers.{name}" for name in ("mlflow", "aim", "clearml")}


LOGGERS = {
    "mlflow": {
        "_target_": "convexp.tracking.trackers.mlflow",
        "_partial_": True,
        "experiment": "x",
        "tracking_uri": "http://x",
    },
    "online": {"_target_": "convexp.tracking.trackers.wandb", "_partial_": True, "project": "x", "offline": False},
    "perhaps": {"_target_": "convexp.tracking.trackers.wandb", "_partial_": True, "project": "x", "offline": "yes"},
}


@pytest.mark.parametrize("logger", LOGGERS.values(), ids=LOGGERS)
def test_nothing_is_sent_away_by_a_resumed_run(folder, call, logger, monkeypatch):
    change(folder, "logger", {"x": logger})
    done = call("train", "resume=run")
    assert done.code == 2
    assert "logger.x" in done.err
    assert "CONVEXP_TRUST" in done.err
    assert call("evaluate", "run=run").code == 0  # logs nothing
    monkeypatch.setenv("CONVEXP_TRUST", "convexp.tracking.trackers")
    parse_trusted_config(read_saved_config(folder, "run").values)
    change(folder, "logger", {"x": {**LOGGERS["online"], "offline": True}})
    monkeypatch.delenv("CONVEXP_TRUST")
    parse_trusted_config(read_saved_config(folder, "run").values)


def test_the_command_to_go_on_says_whom_to_trust(monkeypatch, tmp_path):
    (tmp_path / "mine.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(machine, "LOGGER_PACKAGES", {})  # W&B is an extra, and not needed to word a command
    online = ("logger=wandb", "logger.wandb.offline=false")
    config = compose_config(*QUICK, "model.wiring._target_=mine.Layer", *online)
    assert resume_command(config, Path("run")) == "CONVEXP_TRUST=mine,convexp.tracking.trackers convexp-train resume=run"
    monkeypatch.setenv("CONVEXP_TRUST", "mine,convexp.tracking.trackers")
    assert parse_trusted_config(config.model_dump(by_alias=True)) == config
    assert (
        resume_command(config, Path("run")) == resume_command(compose_config(*QUICK), Path("run")) == "convexp-train resume=run"
    )


def test_callbacks_and_states_of_a_checkpoint_remove_nothing(folder, call, tmp_path):
    """ModelCheckpoint removes the files and folders that its state says it wrote."""
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "thesis.txt").touch()
    saved = torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)
    made = ModelCheckpoint(tmp_path, monitor="val/acc", mode="max", save_top_k=1)
    there = str(tmp_path / "precious")
    state = {"best_k_models": {there: torch.tensor(0.0)}, "kth_best_model_path": there, "last_model_path": there}
    saved["callbacks"][made.state_key] = made.state_dict() | state
    torch.save(saved, folder / "checkpoints" / "last.ckpt")
    change(folder, "callbacks.x", {"_target_": "pytorch_lightning.callbacks.ModelCheckpoint", "dirpath": str(tmp_path)})
    done = call("train", "resume=run")
    assert done.code == 2
    assert "callbacks.x" in done.err
    change(folder, "callbacks", None)
    assert call("train", "resume=run").code == 0
    assert (tmp_path / "precious" / "thesis.txt").exists()


def test_pickles_in_checkpoints_are_not_loaded(folder, call, tmp_path, payload):
    for name in ("best", "last"):
        shutil.copy(payload, folder / "checkpoints" / f"{name}.ckpt")
    done = call("evaluate", "run=run")
    assert done.code == 2
    assert "cannot be read" in done.err
    with pytest.raises(ConfigError, match="cannot be read"):
        runs.open(folder)
    done = call("train", "resume=run")
    assert done.code == 0, done.err
    assert "starting again" in done.out


def test_objects_hidden_in_a_checkpoint_are_not_made(folder, call, tmp_path, payload):
    """In the format of torch, beside the weights that belong there."""
    for name in ("best", "last"):
        file = folder / "checkpoints" / f"{name}.ckpt"
        saved = torch.load(file, weights_only=True)
        torch.save(saved | {"callbacks": {"RandomState": Payload(tmp_path / "executed")}}, file)
    assert call("evaluate", "run=run").code == 2
    assert call("train", "resume=run").code == 0


HOSTILE = {
    "aliases": "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]",
    "itself": "a: &a [*a]",
    "a deep list": "a: " + "[" * 3000 + "]" * 3000,
    "a deep mapping": "\n".join(" " * depth + "a:" for depth in range(400)),
    "a tag": "a: !!python/object/apply:os.system [ls]",
    "too long": "a: " + "x" * LARGEST,
    "a long number": "a: " + "9" * 5000,
    "no mapping": "[1, 2]",
    "no text": b"\xff\xfe\xff",
    "control characters": 'name: "\\e]0;owned"',
    "the same twice": "a: 1\na: 2",
    "nothing": "",
    "no YAML": "a: [",
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_odd_yaml_is_refused_in_one_line(folder, call, content):
    (folder / ".hydra" / "config.yaml").write_bytes(content if isinstance(content, bytes) else content.encode())
    assert "\x1b" not in "".join(answers(call, folder))


def test_aliases_are_refused_before_they_are_followed(folder):
    """Thirty lines that stand for 9^30 words."""
    lines = ["a0: &a0 [x]", *(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 30))]
    (folder / ".hydra" / "config.yaml").write_text("\n".join(lines))
    assert "alias" in refused(folder)


def test_places_to_write_to_are_those_of_this_machine(folder, tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.setenv("CONVEXP_CACHE", "/mine")
    monkeypatch.delenv("CONVEXP_DATA", raising=False)
    source = {"root": str(tmp_path / "elsewhere"), "download": True, "cache": "/elsewhere"}
    change(folder, "data.source", source)
    assert read_saved_config(folder, "run").values["data"]["source"] == source | {"download": False, "cache": "/mine"}
    assert read_saved_config(folder, "run", tmp_path).values["data"]["source"]["download"] is True  # who runs it says where
    monkeypatch.setenv("CONVEXP_DATA", str(tmp_path))
    assert read_saved_config(folder, "run").values["data"]["source"]["download"] is False
    change(folder, "data.source.root", "nowhere")
    assert read_saved_config(folder, "run").values["data"]["source"] == {
        "root": str(tmp_path),
        "download": True,
        "cache": "/mine",
    }


def test_a_name_that_an_older_version_took_is_read(folder, call):
    change(folder, "name", "ours/first")
    assert call("evaluate", "run=run").code == 0
    assert parse_trusted_config(read_saved_config(folder, "run").values).name == "ours/first"


def test_what_was_written_is_what_is_read(folder, trained):
    config = parse_trusted_config(read_saved_config(folder, "run").values)
    assert config == compose_config(*QUICK, f"name={config.name}", f"outputs={trained.parent}/outputs")
