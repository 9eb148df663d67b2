"""Hydra lists the same options if it reads the folders once."""

import pickle

import pytest
from hydra import compose, initialize_config_dir
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.global_hydra import GlobalHydra

from convexp.config import conf_dir
from convexp.config.help import groups


def options(names):
    with initialize_config_dir(conf_dir(), version_base="1.3"):
        loader = GlobalHydra.instance().config_loader()
        assert compose("train").seed == 0
        found = [{name: loader.get_group_options(name) for name in names} for _ in range(2)]
        assert found[0] == found[1]
        pickle.dumps(loader)  # as it is for the processes of a sweep
        return found[0]


def test_options_are_the_same_and_read_once(monkeypatch):
    read = getattr(ConfigLoaderImpl, groups.READ)
    read = getattr(read, "__wrapped__", read)
    monkeypatch.setattr(ConfigLoaderImpl, groups.READ, read)
    names = ["model", "data", "hydra/launcher"]
    before = options(names)
    groups.list_groups_quickly()
    groups.list_groups_quickly()  # no more than once
    assert getattr(ConfigLoaderImpl, groups.READ).__wrapped__ is read
    assert options(names) == before
    assert {"conv", "local", "dense"} <= {*before["model"]}


def test_the_folders_are_read_once(monkeypatch):
    times = []

    def read(self, config_name, overrides):
        times.append(overrides)
        return times[-1:]

    monkeypatch.setattr(ConfigLoaderImpl, groups.READ, read)
    groups.list_groups_quickly()
    loader = ConfigLoaderImpl.__new__(ConfigLoaderImpl)
    read_once = getattr(loader, groups.READ)
    assert read_once(None, []) is read_once(None, [])
    assert read_once(None, ["model=conv"]) == [["model=conv"]]
    assert read_once("train", []) is not read_once(config_name=None, overrides=[])
    assert times == [[], ["model=conv"], [], []]


def more(self, config_name, overrides, strict=True): ...
def fewer(self, overrides): ...
def swapped(self, overrides, config_name): ...


@pytest.mark.parametrize("read", [more, fewer, swapped, staticmethod(more), 5])
def test_a_method_with_other_parameters_is_left_alone(monkeypatch, read):
    monkeypatch.setattr(ConfigLoaderImpl, groups.READ, read)
    groups.list_groups_quickly()
    assert vars(ConfigLoaderImpl)[groups.READ] is read


def test_another_hydra_is_left_alone(monkeypatch):
    monkeypatch.delattr(ConfigLoaderImpl, groups.READ)
    groups.list_groups_quickly()
    assert not hasattr(ConfigLoaderImpl, groups.READ)
