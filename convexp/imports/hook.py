"""Does something to a module at its import, before and after its code runs."""

import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, contextmanager
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

Around = Callable[[ModuleType], AbstractContextManager[Any]]
"""Returns, for a module whose code has not run yet, the context in which it runs."""


def at_import(name: str, around: Around) -> None:
    """Let the code of the module ``name`` run in a context, if it has not been imported yet.

    Args:
        name: Name of the module.
        around: Is given the module and returns the context.
    """
    if name not in sys.modules:
        sys.meta_path.insert(0, _Finder(name, around))


class _Finder:
    """Finds one module as Python does, until its code has run: who only looks for it must not use the context up."""

    def __init__(self, name: str, around: Around) -> None:
        self.name, self.around, self.running = name, around, False

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if fullname != self.name or self.running:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader, self)  # pyright: ignore[reportAttributeAccessIssue]  importlib asks no more
        return spec

    @contextmanager
    def run(self, module: ModuleType) -> Generator[None]:
        """The context of the module's code; if that fails, the next import gets it, too, and otherwise none does."""
        self.running = True
        try:
            with self.around(module):
                yield
            sys.meta_path[:] = [finder for finder in sys.meta_path if finder is not self]
        finally:
            self.running = False


class _Loader:
    """Loads a module as ``loader`` does, and leaves no trace in it; it has all that ``loader`` has, such as ``get_source``."""

    def __init__(self, loader: Any, finder: _Finder) -> None:
        self.loader, self.finder = loader, finder

    def __getattr__(self, name: str) -> Any:
        if name in ("loader", "finder"):  # of a copy that is not made yet
            raise AttributeError(name)
        return getattr(self.loader, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self.loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        assert module.__spec__ is not None
        module.__loader__ = module.__spec__.loader = self.loader
        with self.finder.run(module):
            self.loader.exec_module(module)


@contextmanager
def bind_submodules(package: ModuleType) -> Generator[None]:
    """A context for the code of a package, which has those of its submodules as attributes that were imported before it.

    Python binds a submodule to its package when it loads the submodule, and at no other time.
    """
    prefix = f"{package.__name__}."
    for name, module in list(sys.modules.items()):
        if name.startswith(prefix) and "." not in name.removeprefix(prefix):
            setattr(package, name.removeprefix(prefix), module)
    yield
