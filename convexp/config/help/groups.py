"""Lists the options of groups for Hydra's ``--help`` and TAB completion without reading all folders again for each group."""

from inspect import signature
from types import FunctionType
from typing import Any
from weakref import WeakKeyDictionary

from hydra._internal.config_loader_impl import ConfigLoaderImpl

READ = "_parse_overrides_and_create_caching_repo"  # copies the search path with all its folders, for every group and list
PARAMETERS = ["self", "config_name", "overrides"]


def list_groups_quickly() -> None:
    """Let Hydra keep what it read of the folders of options for no configuration and no overrides, as a list of options asks.

    Any other call goes on to Hydra as it is. Nothing is replaced if Hydra has no such method, or one with other parameters.
    """
    read: Any = vars(ConfigLoaderImpl).get(READ)
    if not isinstance(read, FunctionType) or hasattr(read, "__wrapped__") or [*signature(read).parameters] != PARAMETERS:
        return

    found: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()  # not in the loader, which is sent to other processes

    def read_once(self: Any, *args: Any, **kwargs: Any) -> Any:
        if args != (None, []) or kwargs:
            return read(self, *args, **kwargs)
        if self not in found:
            found[self] = read(self, *args)
        return found[self]

    read_once.__wrapped__ = read  # pyright: ignore[reportFunctionMemberAccess]
    setattr(ConfigLoaderImpl, READ, read_once)
