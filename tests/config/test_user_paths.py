import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf

from convexp.config.user_paths import VARIABLES, absolute_path, drop_empty_variables, make_paths_absolute, parse_path
from convexp.errors import ConfigError

NAMES = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=5)
PATHS = st.lists(NAMES | st.just(".."), min_size=1).map("/".join).filter(lambda p: p.strip() and not p.startswith("~"))


@given(PATHS)
def test_a_path_means_the_same_from_anywhere(said):
    found = absolute_path("outputs", said, Path("/some/where"))
    assert found.is_absolute()
    assert absolute_path("outputs", found, Path("/else/where")) == found
    assert found.resolve() == Path("/some/where", said).resolve()


@pytest.mark.parametrize("said", ["", " ", "\t"])
def test_an_empty_text_is_no_path(said):
    with pytest.raises(ConfigError, match="outputs='': is empty"):
        parse_path("outputs", said)


def test_home(monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    assert parse_path("outputs", "~") == Path("/home/me")
    assert absolute_path("outputs", "~/results", Path("/some/where")) == Path("/home/me/results")
    assert absolute_path("outputs", "a/~", Path("/some/where")) == Path("/some/where/a/~")


def test_a_home_that_nobody_knows():
    with pytest.raises(ConfigError, match="outputs=~nobody-of-that-name/x: ~ stands for"):
        parse_path("outputs", "~nobody-of-that-name/x")


def test_what_refers_to_a_path_follows_it():
    cfg = OmegaConf.create({"outputs": "~/results", "uri": "sqlite:///${outputs}/mlflow.db", "data": {"source": {"seed": 1}}})
    make_paths_absolute(cfg, Path("/some/where"))
    assert cfg.uri == f"sqlite:///{Path.home()}/results/mlflow.db"
    assert cfg.data.source == {"seed": 1}


def test_a_variable_that_is_empty_is_not_set(monkeypatch):
    for name in VARIABLES:
        monkeypatch.setenv(name, "")
    drop_empty_variables()
    assert not any(name in os.environ for name in VARIABLES)
