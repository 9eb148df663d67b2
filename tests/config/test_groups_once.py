"""Hydra lists the same options if it reads the folders once."""

from hydra import compose, initialize_config_dir
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.global_hydra import GlobalHydra

from convexp.config import conf_dir
from convexp.config.help import groups


def options(groups_of_options):
    with initialize_config_dir(conf_dir(), version_base="1.3"):
        loader = GlobalHydra.instance().config_loader()
        assert compose("train").seed == 0
        return {group: loader.get_group_options(group) for group in groups_of_options for _ in range(2)}, vars(loader)


def test_options_are_the_same_and_read_once(monkeypatch):
    read = getattr(ConfigLoaderImpl, groups.READ)
    read = getattr(read, "__wrapped__", read)
    monkeypatch.setattr(ConfigLoaderImpl, groups.READ, read)
    before, _ = options(["model", "data", "hydra/launcher"])
    groups.list_groups_quickly()
    groups.list_groups_quickly()  # no more than once
    assert getattr(ConfigLoaderImpl, groups.READ).__wrapped__ is read
    after, loader = options(["model", "data", "hydra/launcher"])
    assert after == before
    assert {"conv", "local", "dense"} <= {*before["model"]}
    assert "convexp_read" in loader


def test_another_hydra_is_left_alone(monkeypatch):
    monkeypatch.delattr(ConfigLoaderImpl, groups.READ)
    groups.list_groups_quickly()
    assert not hasattr(ConfigLoaderImpl, groups.READ)
