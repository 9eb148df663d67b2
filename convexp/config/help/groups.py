"""Lists the options of groups for Hydra's ``--help`` and TAB completion without reading all folders again for each group."""

from typing import Any
from weakref import WeakKeyDictionary

from hydra._internal.config_loader_impl import ConfigLoaderImpl

READ = "_parse_overrides_and_create_caching_repo"  # copies the search path with all its folders, for every group and list


def list_groups_quickly() -> None:
    """Let Hydra keep what it read of the folders of options for a command line without overrides, unless it works otherwise."""
    read: Any = vars(ConfigLoaderImpl).get(READ)
    if read is None or hasattr(read, "__wrapped__"):
        return

    found: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()  # not in the loader, which is sent to other processes

    def read_once(self: Any, config_name: str | None, overrides: list[str]) -> Any:
        if config_name is not None or overrides:
            return read(self, config_name, overrides)
        if self not in found:
            found[self] = read(self, config_name, overrides)
        return found[self]

    read_once.__wrapped__ = read  # pyright: ignore[reportFunctionMemberAccess]
    setattr(ConfigLoaderImpl, READ, read_once)
