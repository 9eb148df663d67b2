"""Configurations that are composed once for all tests of a process, in place of again for every command that they call.

To compose one is most of what the smallest commands cost. Those that read a folder of the user's own are made again each time.
"""

import pickle
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import pytest
from hydra._internal import config_loader_impl
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.defaults_list import DefaultsList
from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig

from convexp.config.command_line.parse import SEARCH_PATH, CommandLine

PROVIDERS = ["hydra", "main", "schema"]  # of convexp's own options
STORE = ConfigStore.instance().repo  # of the options that plugins of Hydra have; a test may put another in its place

_lists: dict[tuple[Any, ...], DefaultsList] = {}
_merged: dict[int, bytes] = {}  # by the identity of a list of files in ``_lists``; to unpickle is quicker than to copy
_without_search_path: set[tuple[Any, ...]] = set()  # files of convexp's that name no folders to search


@cache
def _composed(config_name: str, overrides: tuple[str, ...]) -> DictConfig:
    return CommandLine(overrides=overrides).compose(config_name)


@dataclass(frozen=True)
class RememberedLine(CommandLine):
    """A command line that says how a run differs from the defaults; nobody changes what it has composed."""

    def compose(self, config_name: str, without: str | None = None) -> DictConfig:
        """Compose the configuration, or return it."""
        if without or self.search_path:
            return super().compose(config_name, without)
        return _composed(config_name, tuple(self.overrides))


def _are_ours(sources: list[Any]) -> bool:
    return [source.provider for source in sources] == PROVIDERS and ConfigStore.instance().repo is STORE


def remember_merged_files(patch: pytest.MonkeyPatch) -> None:
    """Let Hydra find and merge the files for the same choice of options once; settings are overridden in a copy."""
    find, merge = config_loader_impl.create_defaults_list, ConfigLoaderImpl._compose_config_from_defaults_list
    search = ConfigLoaderImpl._process_config_searchpath

    def search_once(self: Any, config_name: str | None, parsed_overrides: list[Any], repo: Any) -> None:
        before = repo.get_sources()
        key = (config_name, *(source.path for source in before))
        if key in _without_search_path and all(each.key_or_group != SEARCH_PATH for each in parsed_overrides):
            return
        search(self, config_name, parsed_overrides, repo)
        if _are_ours(before) and repo.get_sources() is before:
            _without_search_path.add(key)

    def find_once(*, repo: Any, config_name: str | None, overrides_list: list[Any], **settings: bool) -> DefaultsList:
        found = repo.get_sources()
        if not _are_ours(found):
            return find(repo=repo, config_name=config_name, overrides_list=overrides_list, **settings)
        told = [each for each in overrides_list if not each.is_sweep_override()]  # Hydra passes over the others
        of_settings = [each for each in told if isinstance(each.value(), dict) or not repo.group_exists(each.key_or_group)]
        choices = [each for each in told if each not in of_settings]
        key = (*(source.path for source in found), config_name, *settings.items(), *(each.input_line for each in choices))
        if key not in _lists:
            _lists[key] = find(repo=repo, config_name=config_name, overrides_list=choices, **settings)
        return replace(_lists[key], config_overrides=of_settings)

    def merge_once(self: Any, defaults: list[Any], repo: Any) -> DictConfig:
        if not any(each.defaults is defaults for each in _lists.values()):
            return merge(self, defaults, repo)
        if id(defaults) not in _merged:
            _merged[id(defaults)] = pickle.dumps(merge(self, defaults, repo))
        return pickle.loads(_merged[id(defaults)])

    patch.setattr(ConfigLoaderImpl, "_process_config_searchpath", search_once)
    patch.setattr(config_loader_impl, "create_defaults_list", find_once)
    patch.setattr(ConfigLoaderImpl, "_compose_config_from_defaults_list", merge_once)
