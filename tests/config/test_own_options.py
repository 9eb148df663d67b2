"""Configurations of other packages and of the user's own folders: found without an import, never mixed up."""

import subprocess
import sys
from pathlib import Path

import pytest

from convexp.config.ambiguity import check_unambiguous
from convexp.config.command_line.arrange import arrange_arguments
from convexp.config.command_line.groups import normalize_choice
from convexp.config.command_line.parse import parse_command_line
from convexp.config.compose import compose_config
from convexp.config.search_path import conf_dir
from convexp.config.sources import _announced, find_folder, installed_sources, versions_of
from convexp.errors import ConfigError

MODEL = "# Mine.\ndefaults: [skeleton, _self_]\nname: mine\nwiring: {_target_: convexp.layers.conv.Conv2d, _partial_: true}\n"


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Installs a package: install("name", {"conf/model/mine.yaml": text}); its code must not be imported."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(site)

    def make(name: str, files: dict[str, str], value: str | None = None) -> Path:
        for file, text in {"__init__.py": "raise RuntimeError('imported')", **files}.items():
            (site / name / file).parent.mkdir(parents=True, exist_ok=True)
            (site / name / file).write_text(text)
        info = site / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[convexp.configs]\n{name} = {value or f'{name}.conf'}\n")
        forget()
        return site / name

    yield make
    forget()


def forget():
    for cached in (_announced, installed_sources, normalize_choice):
        cached.cache_clear()


def test_a_package_is_found_and_not_imported(install):
    folder = install("theirs", {"conf/model/mine.yaml": MODEL})
    assert [(source.name, source.folder) for source in installed_sources()] == [
        ("convexp", Path(conf_dir())),
        ("package theirs", folder / "conf"),
    ]
    assert compose_config("model=mine", "only_costs=true").model.name == "mine"
    assert "theirs" not in sys.modules
    assert normalize_choice("model=mine") == "model=mine"


def test_the_version_of_a_package_is_known_where_its_code_is_used(install):
    install("theirs", {"conf/x.yaml": ""})
    install("unused", {"conf/x.yaml": ""})
    assert versions_of(["theirs.layers.Layer", "torch.optim.Adam", "theirs.probes.Probe"]) == {"theirs": "1.0"}
    assert versions_of(["convexp.layers.conv.Conv2d"]) == {}


def test_what_a_package_shares_is_no_option(install):
    install("theirs", {"conf/model/mine.yaml": MODEL, "conf/model/base.yaml": f"# @shared true\n{MODEL}"})
    with pytest.raises(ConfigError, match=r"only holds what the options of model share; choose one of .*mine"):
        normalize_choice("model=base")


@pytest.mark.parametrize("value", ["theirs", "theirs.conf", "theirs/conf"])
def test_the_entry_point_names_a_package_or_a_folder_in_it(install, value):
    folder = install("theirs", {"conf/x.yaml": ""}, value)
    assert find_folder(value) == (folder if value == "theirs" else folder / "conf")


@pytest.mark.parametrize("value", ["theirs.cnof", "gone.conf", "theirs..conf", "json.conf", "theirs.__init__"])
def test_an_entry_point_to_nothing_is_one_line(install, value, capsys):
    install("theirs", {"conf/x.yaml": ""}, value)
    assert [source.name for source in installed_sources()] == ["convexp"]
    assert compose_config("model=local").model.name == "local"
    said = capsys.readouterr().err
    assert said.count("\n") == 1, said
    assert "theirs" in said
    assert value in said


def test_damaged_metadata_of_any_package_is_one_line(install, capsys):
    folder = install("theirs", {"conf/x.yaml": ""})
    (folder.parent / "theirs-1.0.dist-info" / "entry_points.txt").write_bytes(b"[convexp.configs]\nno equals sign\n\xff")
    assert [source.name for source in installed_sources()] == ["convexp"]
    assert capsys.readouterr().err.count("\n") == 1


def test_a_name_of_convexp_is_not_shadowed(install):
    install("theirs", {"conf/model/conv.yaml": MODEL, "conf/model/mine.yaml": MODEL})
    assert compose_config("model=mine").model.name == "mine"
    with pytest.raises(ConfigError, match=r"^model=conv: is defined by convexp and by package theirs; rename one of the two$"):
        compose_config("model=conv")


def test_a_name_that_two_packages_define_is_refused_when_it_is_used(install):
    install("ours", {"conf/probes/mine.yaml": "mine: {_target_: x.Y}\n"})
    install("theirs", {"conf/probes/mine.yaml": "mine: {_target_: x.Y}\n"})
    assert compose_config("probes=none").probes is None
    with pytest.raises(ConfigError, match=r"^probes=mine: is defined by package ours and by package theirs; rename"):
        compose_config("probes=[mine]")


def test_a_file_that_an_option_is_built_on_is_not_shadowed(install):
    install("theirs", {"conf/model/skeleton.yaml": "channels: [1]\n"})
    with pytest.raises(ConfigError, match=r"^model/skeleton: is defined by convexp and by package theirs"):
        compose_config("model=local")


def test_a_primary_configuration_is_not_shadowed(install):
    install("theirs", {"conf/train.yaml": "seed: 1\n"})
    with pytest.raises(ConfigError, match=r"^train: is defined by convexp and by package theirs"):
        compose_config()


def test_a_package_does_not_change_the_users_defaults(install):
    install("theirs", {"conf/local/default.yaml": "# @package _global_\nseed: 7\n"})
    assert compose_config().seed == 0


def test_a_folder_that_is_named_twice_defines_nothing_twice(tmp_path):
    (tmp_path / "conf" / "model").mkdir(parents=True)
    (tmp_path / "conf" / "model" / "mine.yaml").write_text(MODEL)
    folder = str(tmp_path / "conf")
    line = parse_command_line(["--config-dir", folder, f"hydra.searchpath=['file://{folder}/']", "model=mine"])
    check_unambiguous(line.compose("train"), "train")
    (tmp_path / "other" / "model").mkdir(parents=True)
    (tmp_path / "other" / "model" / "mine.yaml").write_text(MODEL)
    line = parse_command_line(["--config-dir", folder, f"hydra.searchpath=['{tmp_path}/other']", "model=mine"])
    with pytest.raises(ConfigError, match=r"^model=mine: .*other"):
        check_unambiguous(line.compose("train"), "train")


def test_folders_on_the_command_line_become_absolute_and_the_modules_beside_them_importable(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for folder in ("a/conf", "b c/conf"):
        (tmp_path / folder).mkdir(parents=True)
    found = arrange_arguments(["model=conv", "--config-dir", "a/conf", "hydra.searchpath=['b c/conf']"])
    assert found == [
        "--config-dir",
        "a/conf",
        "model=conv",
        f"hydra.searchpath=['file://{tmp_path}/b c/conf']",
        f"pythonpath=['{tmp_path}/a','{tmp_path}/b c']",
    ]
    assert arrange_arguments(["--config-dir", "a/conf", "pythonpath=[lib]"])[2:] == ["pythonpath=[lib]"]
    with pytest.raises(ConfigError, match=r"^hydra.searchpath=file://.*/nowhere: there is no such folder$"):
        arrange_arguments(["hydra.searchpath=[nowhere]"])


def test_a_package_in_the_search_path_is_not_imported(install):
    folder = install("theirs", {"other/model/mine2.yaml": MODEL})
    assert f"file://{folder}/other" in arrange_arguments(["hydra.searchpath=[pkg://theirs.other]"])[0]
    with pytest.raises(ConfigError, match=r"^hydra.searchpath=pkg://theirs.gone: there is no such folder$"):
        arrange_arguments(["hydra.searchpath=[pkg://theirs.gone]"])
    assert "theirs" not in sys.modules


@pytest.mark.e2e
def test_finding_packages_imports_no_torch():
    code = "import sys, convexp.config.sources as s; s.installed_sources(); print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
