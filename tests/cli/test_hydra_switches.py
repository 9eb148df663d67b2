"""What Hydra has to offer works here: null, ``${hydra:...}``, numbers as folders, one application within another."""

from pathlib import Path

import pytest
from conftest import read
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import JobRuntime
from hydra.version import getbase, setbase

from convexp.cli.application import arranged
from convexp.config.compose import composed
from convexp.config.groups import chosen
from convexp.errors import ConfigError

COUNT = ("only_costs=true", "trainer.threads=1")  # runs that take no time
GROUPS = ("scheduler", "probes", "logger", "callbacks", "study", "experiment", "debug")


@pytest.mark.parametrize("group", GROUPS)
def test_null_is_the_option_none(group):
    assert composed(f"{group}=null") == composed(f"{group}=none")


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
    assert chosen(said) == meant


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
    assert arranged(said) == meant


@pytest.mark.parametrize("said", ["model=null", "optimizer=3", "probes=[null]", "model=range(3)", "logger={a:1}", "data=0.5"])
def test_only_names_are_chosen(said):
    with pytest.raises(ConfigError, match=r"should be the name of (an|one) option"):
        chosen(said)


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
    assert "2 finished" in done.out
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
    base = getbase()
    try:
        with initialize_config_dir(str(tmp_path), version_base="1.2", job_name="mine"):
            outer, version, state = GlobalHydra.instance().hydra, getbase(), HydraConfig.instance().cfg
            assert composed("seed=3").seed == 3
            with pytest.raises(ConfigError):
                composed("seed=-1")
            assert compose("mine").x == 1
            assert (GlobalHydra.instance().hydra, getbase()) == (outer, version)
            assert JobRuntime.instance().get("name") == "mine"
            assert HydraConfig.instance().cfg is state
    finally:
        setbase(str(base))
