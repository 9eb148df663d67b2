"""Does something to a module at its import: before its code runs, or after."""

import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

Step = Callable[[ModuleType], None]


def nothing(_: ModuleType) -> None:
    """Do nothing."""


def at_import(name: str, before: Step = nothing, after: Step = nothing) -> None:
    """Let something be done when the module ``name`` is imported for the first time from now on.

    Args:
        name: Name of the module.
        before: Is given the module before its code runs.
        after: Is given the module after its code has run.
    """
    sys.meta_path.insert(0, _Finder(name, before, after))


class _Finder:
    """Finds one module once, as Python does."""

    def __init__(self, name: str, before: Step, after: Step) -> None:
        self.name, self.steps = name, (before, after)

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if fullname != self.name:
            return None
        sys.meta_path.remove(self)
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader, *self.steps)  # pyright: ignore[reportAttributeAccessIssue]  importlib asks no more
        return spec


class _Loader:
    """Loads a module as ``loader`` does, and leaves no trace in it."""

    def __init__(self, loader: Any, before: Step, after: Step) -> None:
        self.loader, self.before, self.after = loader, before, after

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self.loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        assert module.__spec__ is not None
        module.__loader__ = module.__spec__.loader = self.loader
        self.before(module)
        self.loader.exec_module(module)
        self.after(module)


def bind_submodules(package: ModuleType) -> None:
    """Let a package have those of its submodules as attributes that were imported before it.

    Python binds a submodule to its package when it loads the submodule, and at no other time.
    """
    prefix = f"{package.__name__}."
    for name, module in list(sys.modules.items()):
        if name.startswith(prefix) and "." not in name.removeprefix(prefix):
            setattr(package, name.removeprefix(prefix), module)
