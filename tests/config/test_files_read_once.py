"""YAML files of convexp are read once in a process, and again where they have changed."""

import os
from pathlib import Path

import pytest
from hydra.plugins.config_source import ConfigLoadError
from omegaconf import OmegaConf

from convexp.config import conf_dir
from convexp.config.compose import compose_config
from hydra_plugins.convexp_search_path import ConvexpConfigSource


@pytest.fixture
def source(tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "mine.yaml").write_text("# @package mine\ndefaults: [_self_]\nwidth: 1\n")
    return ConvexpConfigSource("main", str(tmp_path))


def test_a_file_that_has_changed_is_read_again(source):
    file = Path(source.path, "model", "mine.yaml")
    assert source.load_config("model/mine").config.width == 1
    file.write_text("# @package other\nwidth: 2\n")
    os.utime(file, ns=(1, 1))  # however coarse the clock of the file system is
    changed = source.load_config("model/mine.yaml")
    assert changed.config == {"width": 2}
    assert changed.header["package"] == "other"
    file.unlink()
    with pytest.raises(ConfigLoadError, match="not found"):
        source.load_config("model/mine")


def test_nothing_that_is_done_to_what_was_read_is_remembered(source):
    first = source.load_config("model/mine")
    first.config.width, first.header["package"], first.is_schema_source = 3, "theirs", True
    first.config.pop("defaults")  # as Hydra does
    second = source.load_config("model/mine")
    assert second.config == {"defaults": ["_self_"], "width": 1}
    assert second.header["package"] == "mine"
    assert not second.is_schema_source


def test_a_second_composition_reads_no_file_of_convexp(monkeypatch):
    before, read, load = compose_config("model=local", "data=digits"), [], OmegaConf.load
    monkeypatch.setattr(OmegaConf, "load", lambda file: read.append(Path(file.name)) or load(file))
    assert compose_config("model=local", "data=digits") == before
    assert [file for file in read if file.is_relative_to(conf_dir())] == []
