"""What Hydra has to offer works here: null, ``${hydra:...}``, numbers as folders, one application within another."""

from pathlib import Path

import pytest
from conftest import read
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import JobRuntime
from hydra.version import VersionBase, getbase, setbase

from convexp.config.command_line.arrange import arrange_arguments
from convexp.config.command_line.groups import normalize_choice
from convexp.config.compose import compose_config
from convexp.config.options import list_options
from convexp.config.search_path import conf_dir
from convexp.errors import ConfigError

COUNT = ("only_costs=true", "trainer.threads=1")  # runs that take no time
GROUPS = ("scheduler", "probes", "logger", "callbacks", "study", "experiment", "debug")


@pytest.mark.parametrize("group", GROUPS)
def test_null_is_the_option_none(group):
    assert compose_config(f"{group}=null") == compose_config(f"{group}=none")


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("scheduler=null,one_cycle", "scheduler=none,one_cycle"),
        ("+experiment=NULL", "+experiment=none"),
        ("scheduler=cosine", "scheduler=cosine"),
        ("seed=null", "seed=null"),
        ("model.width=null", "model.width=null"),
        ("~scheduler", "~scheduler"),
        ("logger=[csv],[csv,tensorboard]", "logger=[csv],[csv,tensorboard]"),
        ("model=", "model="),
    ],
)
def test_other_overrides_stay_what_they_are(said, meant):
    assert normalize_choice(said) == meant


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (["seed=1", "-m", "model=a,b"], ["-m", "seed=1", "model=a,b"]),
        (["~probes", "--config-dir", "a=b", "x=1", "-c", "job"], ["--config-dir", "a=b", "-c", "job", "~probes", "x=1"]),
        (["--config-dir=a=b", "x=--y"], ["--config-dir=a=b", "x=--y"]),
        (["--config-dir=a=b", "scheduler=null"], ["--config-dir=a=b", "scheduler=none"]),
        (["study=null", "--help"], ["--help", "study=none"]),
    ],
)
def test_switches_may_stand_amidst_overrides(said, meant):
    assert arrange_arguments(said) == meant


@pytest.mark.parametrize("said", ["model=null", "optimizer=3", "probes=[null]", "model=range(3)", "logger={a:1}", "data=0.5"])
def test_only_names_are_chosen(said):
    with pytest.raises(ConfigError, match=r"should be the name of (an|one) option"):
        normalize_choice(said)


def test_null_in_a_sweep_and_in_a_study(call, tmp_path):
    (tmp_path / "conf/study").mkdir(parents=True)
    (tmp_path / "conf/study/mine.yaml").write_text(
        "# @package _global_\ndefaults: [base, _self_]\n"
        "study: {name: mine, question: Which one, grid: {scheduler: [null, cosine]}}\n"
    )
    for said in (["-m", "scheduler=null,cosine", "hydra.sweep.dir=sweep"], ["study=mine", "--config-dir", "conf"]):
        done = call("train", *said, *COUNT)
        assert done.code == 0, done.err
    for root, name in (("sweep", "none"), ("outputs/studies/mine", "null")):
        assert read(tmp_path / root / name)["config"]["scheduler"] is None
        assert read(tmp_path / root / "cosine")["config"]["scheduler"] is not None


def test_runs_of_a_sweep_know_their_number_and_keep_it(call, tmp_path):
    sweep = ("-m", *COUNT, "hydra.sweep.dir=sweep", "seed=${hydra:job.num}", "name=in-${hydra:job.name}", "model.width=1,2,3")
    assert call("train", *sweep).code == 0
    second = tmp_path / "sweep" / "width2"
    before = read(second)
    assert (before["seed"], before["name"]) == (1, "in-train")
    (second / "result.json").unlink()
    done = call("train", *sweep)
    assert done.code == 0, done.err
    assert "2 already finished" in done.out
    assert read(second)["identity"] == before["identity"]


def test_one_run_knows_where_it_was_started(call, tmp_path):
    done = call("train", *COUNT, "hydra.run.dir=run", "outputs=${hydra:runtime.cwd}/outputs")
    assert done.code == 0, done.err
    assert read(tmp_path / "run")["config"]["outputs"] == f"{tmp_path}/outputs"


def test_a_folder_called_by_a_number_is_gone_on_with(call, tmp_path):
    assert call("train", *COUNT, "-m", "hydra.sweep.dir=sweep", "hydra.sweep.subdir=${hydra.job.num}").code == 0
    Path(tmp_path / "sweep" / "0").rename(tmp_path / "0")
    done = call("train", "resume=0")
    assert done.code == 0, done.err
    assert "0: already finished" in done.out


def test_composing_within_another_application(tmp_path):
    (tmp_path / "mine.yaml").write_text("x: 1\n")
    before = VersionBase.instance().version_base
    setbase("1.3")
    try:
        with initialize_config_dir(str(tmp_path), version_base="1.2", job_name="mine"):
            outer, version, state = GlobalHydra.instance().hydra, getbase(), HydraConfig.instance().cfg
            assert compose_config("seed=3").seed == 3
            with pytest.raises(ConfigError):
                compose_config("seed=-1")
            assert compose("mine").x == 1
            assert (GlobalHydra.instance().hydra, getbase()) == (outer, version)
            assert JobRuntime.instance().get("name") == "mine"
            assert HydraConfig.instance().cfg is state
    finally:
        VersionBase.instance().version_base = before


SHARED = {"model": "skeleton", "data": "images", "study": "base"}  # what the options of a group share, no options themselves


@pytest.mark.parametrize("group", SHARED)
def test_what_options_share_is_refused_with_what_to_choose_instead(call, tmp_path, group):
    name, right = SHARED[group], {"model": "conv", "data": "digits", "study": "three_layers"}[group]
    for line in (
        [f"{group}={name}"],
        [f"+{group}={name}"],
        ["-m", f"{group}={name},{right}"],
        ["--cfg", "job", f"{group}={name}"],
    ):
        done = call("train", *line)
        assert (done.code, done.err.count("\n")) == (2, 1), done.err
        assert f"{group}={name}: only holds what the options of {group} share; choose one of " in done.err
        assert right in done.err
        assert f", {name}," not in done.err
    assert list(tmp_path.iterdir()) == []


def test_what_options_share_is_not_offered(call, monkeypatch):
    lines = call("train", "--help").out.partition("== Groups")[2].partition("== Settings")[0].splitlines()
    listed = {line.partition(": ")[0]: line.partition(": ")[2].split(", ") for line in lines}
    for group, name in SHARED.items():
        folder = Path(conf_dir(), group)
        files = {file.relative_to(folder).with_suffix("").as_posix() for file in folder.rglob("*.yaml")}
        assert {*listed[group]} == {each for each in files - {name} if "/" not in each}  # Hydra lists no folders
        assert {*list_options(group)} == files - {name}
        assert f"\n  {name}  " not in call("train", "--help", group).out
        assert name not in call("train", f"{group}=nothing").err.replace("nothing", "")
        monkeypatch.setenv("COMP_LINE", f"convexp-train {group}=")
        assert {*call("train", "-sc", "query=bash").out.split()} == {f"{group}={each}" for each in files - {name}}


def test_what_options_share_is_there_for_ones_own_options(call, tmp_path):
    for group, name in SHARED.items():
        (tmp_path / "conf" / group).mkdir(parents=True)
        (tmp_path / "conf" / group / "mine.yaml").write_text(OWN[group].replace("BASE", name))
    done = call("train", "--config-dir", "conf", "model=mine", "data=mine", *COUNT, "hydra.run.dir=run")
    assert done.code == 0, done.err
    config = read(tmp_path / "run")["config"]
    assert (config["model"]["name"], config["model"]["stride"], config["data"]["val_size"]) == ("mine", 2, 100)
    assert config["model"] | {"name": "conv"} == compose_config("model=conv").model_dump(by_alias=True)["model"]
    done = call("train", "--config-dir", "conf", "study=mine")
    assert done.code == 0, done.err
    assert {file.parent.name for file in (tmp_path / "outputs/studies/mine").glob("*/result.json")} == {"seed0", "seed1"}


def test_a_model_without_a_name_is_told_in_one_line(call, tmp_path):
    (tmp_path / "conf/experiment").mkdir(parents=True)
    for section, name in (("model", "skeleton"), ("data", "images")):
        text = f"# @package _global_\ndefaults: [override /{section}: {name}]\n"
        (tmp_path / "conf/experiment/mine.yaml").write_text(text)
        done = call("train", "--config-dir", "conf", "experiment=mine")
        assert (done.code, done.err.count("\n")) == (2, 1), done.err
        assert f"{section}.name: is missing; choose one of its options, as in {section}=" in done.err


OWN = {
    "model": "# Mine.\ndefaults: [BASE, _self_]\nname: mine\nwiring: {_target_: convexp.layers.conv.Conv2d, _partial_: true}\n",
    "data": "# Mine.\ndefaults: [BASE, _self_]\nname: mine\nimage_shape: [1, 8, 8]\nclasses: 10\nval_size: 100\n"
    "source: {_target_: convexp.data.digits.digits, test_size: 360, split_seed: 0}\n",
    "study": "# @package _global_\n# Mine.\ndefaults: [BASE, _self_]\n"
    "study: {name: mine, question: Which one, grid: {seed: [0, 1]}}\nonly_costs: true\n",
}
