"""Modules that stand in for others while something is imported that needs little of them."""

import importlib
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any


class StandIn(ModuleType):
    """Takes the name of a module and has some of its attributes. Asked for any other, it gives that of the module itself.

    Args:
        name: Name of the module.
        attributes: What it has.
    """

    def __init__(self, name: str, attributes: Mapping[str, Any]) -> None:
        super().__init__(name)
        vars(self).update(attributes)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # importlib asks for some of these, which a module need not have
            raise AttributeError(name)
        return getattr(import_itself(self.__name__), name)

    def leave(self) -> None:
        """Make way for the module itself, which the next import loads."""
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]


def is_imported(name: str) -> bool:
    """Whether the module ``name`` has been imported, and none stands in for it."""
    return name in sys.modules and not isinstance(sys.modules[name], StandIn)


def import_itself(name: str) -> ModuleType:
    """Import the module ``name`` itself: what stands in for it makes way, and so does a parent that has no ``__path__``."""
    parts = name.split(".")
    for length in range(1, len(parts) + 1):
        module = sys.modules.get(".".join(parts[:length]))
        if isinstance(module, StandIn) and (length == len(parts) or "__path__" not in vars(module)):
            module.leave()
    return importlib.import_module(name)


@contextmanager
def standing_in(name: str, attributes: Mapping[str, Any]) -> Generator[StandIn | None]:
    """A context in which the module ``name`` is a stand-in, unless it has been imported already.

    Args:
        name: Name of the module.
        attributes: What the stand-in has of it.

    Returns:
        The stand-in; None if the module has been imported.
    """
    if name in sys.modules:
        yield None
        return
    stand_in = sys.modules[name] = StandIn(name, attributes)
    try:
        yield stand_in
    finally:
        stand_in.leave()
