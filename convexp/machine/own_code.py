"""Code of the user's own: neither convexp's, nor Python's, nor of an installed package."""

import hashlib
import os
import struct
import sys
import sysconfig
import traceback
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

ENDING = ".py"  # of the names of ``checksums``


INSTALLED = {"site-packages", "dist-packages"}  # folders of packages, the user's own among them

_noted: dict[str, tuple[ModuleSpec | None, str | None]] = {}  # by the name of a module, its spec and the digits of its file


@cache
def _elsewhere() -> tuple[Path, ...]:
    return (Path(__file__).parents[1], *(Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib")))


def _is_own(file: str) -> bool:
    path = Path(file)
    return not (file.startswith("<") or INSTALLED & {*path.parts} or any(map(path.is_relative_to, _elsewhere())))


def place_in_own_code(error: Exception) -> str:
    """The innermost line of the user's code that ``error`` went through, as ``file.py, line 7``; empty if there is none."""
    own = [frame for frame in traceback.extract_tb(error.__traceback__) if _is_own(frame.filename)]
    return f"{Path(own[-1].filename).name}, line {own[-1].lineno}" if own else ""


def checksums(targets: Iterable[str]) -> dict[str, str]:
    """Return the first 16 hex digits of the SHA-256 of those files of the user's that objects come from.

    Args:
        targets: Names of classes and functions whose modules have been imported, such as ``lab.nets.Small``.

    Returns:
        The digits by the name of the file, such as ``lab/nets.py``, also of the user's modules that those import: as they were
        when they were first asked for since the module was imported, as the process goes on with that code.
    """
    found = {_file_name(module.__name__): _digits_of(module) for module in _own_modules(targets)}
    return {name: digits for name, digits in sorted(found.items()) if digits is not None}


def changed(targets: Iterable[str], versions: Mapping[str, str]) -> list[str]:
    """Return those files of ``checksums`` that are other ones than a run has recorded among its versions, by name."""
    return [name for name, digits in checksums(targets).items() if not versions.get(name, digits).endswith(digits)]


def changed_on_path(versions: Mapping[str, str]) -> list[str]:
    """As ``changed``, of modules that need not have been imported: of those that have not, by the files that one would find."""
    return [name for name, digits in versions.items() if name.endswith(ENDING) and not _is_same_on_path(name, digits)]


def edited(targets: Iterable[str]) -> list[str]:
    """Return those files of ``checksums`` that are no longer as they were then, by name."""
    return [
        _file_name(module.__name__) for module in _own_modules(targets) if _digits(str(module.__file__)) != _digits_of(module)
    ]


def check_imported(target: str) -> None:
    """Check that the user's modules that an object comes from are those that a new process would import.

    Raises:
        ImportError: If this process has imported one from another folder before, whose name is the same.
    """
    for module in _own_modules([target]):
        top = module.__name__.partition(".")[0]  # a package that has a file may find its modules in its own way
        name = top if getattr(sys.modules.get(top), "__file__", None) else module.__name__
        file, found = Path(str(sys.modules[name].__file__)), _first_on_path(name)
        if found is not None and file.exists() and not found.samefile(file):
            raise ImportError(
                f"this process has imported {name} from {file}, and here it is {found.absolute()}; use a new process"
            )


def _own_modules(targets: Iterable[str]) -> list[ModuleType]:
    """The user's modules that objects come from and that have been imported, and those that they import."""
    found, waiting = dict[str, ModuleType](), [_imported(target) for target in targets]
    while waiting:
        name = waiting.pop()
        module = sys.modules.get(name)
        file = getattr(module, "__file__", None)
        if name in found or name == "__main__" or module is None or file is None or not _is_own(file):
            continue
        found[name] = module
        waiting += [_module_of(value) for value in list(vars(module).values())]
    return list(found.values())


def _imported(target: str) -> str:
    """The module of an object, which may be a method of a class."""
    name = target.rpartition(".")[0]
    while name and name not in sys.modules:
        name = name.rpartition(".")[0]
    return name


def _file_name(module: str) -> str:
    return f"{module.replace('.', '/')}{ENDING}"


def _is_same_on_path(name: str, digits: str) -> bool:
    """Whether a module, or the file that an import would find, if there is one, has these digits."""
    dotted = name.removesuffix(ENDING).replace("/", ".")
    module = sys.modules.get(dotted)
    file = _first_on_path(dotted) if module is None else None
    here = _digits_of(module) if module is not None else _digits(str(file)) if file is not None else None
    return here is None or digits.endswith(here)


def _first_on_path(module: str) -> Path | None:
    """The file that a new process would import for a module; None if there is none, or if it is no file of Python."""
    name, folders, found = "", None, None
    for part in module.split("."):
        name = f"{name}.{part}" if name else part
        found = PathFinder.find_spec(name, folders)
        if found is None:
            return None
        folders = [*(found.submodule_search_locations or ())]
    return Path(found.origin) if found is not None and found.origin and found.origin.endswith(ENDING) else None


def _module_of(value: object) -> str:
    name = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)
    return name if isinstance(name, str) else ""


def _digits_of(module: ModuleType) -> str | None:
    """Those of a module as it was imported: another one of its name, or a module that is reloaded, has another ``__spec__``."""
    spec, digits = _noted.get(module.__name__, (None, None))
    if spec is None or spec is not module.__spec__:
        digits = None if _is_newer(module) else _digits(str(module.__file__))
        _noted[module.__name__] = module.__spec__, digits
    return digits


def _is_newer(module: ModuleType) -> bool:
    """Whether the file of a module is not the one of which Python wrote the bytecode when it imported the module.

    Where Python writes none, as in a folder that cannot be written to, this is not known.
    """
    bytecode = module.__spec__.cached if module.__spec__ else None
    if bytecode is None or sys.dont_write_bytecode or not os.access(Path(bytecode).parent, os.W_OK):
        return False
    try:
        header, status = Path(bytecode).read_bytes()[4:16], Path(str(module.__file__)).stat()
    except OSError:
        return False
    kind, *noted = struct.unpack("<III", header) if len(header) == 12 else (1,)
    return kind == 0 and noted != [int(status.st_mtime) & 0xFFFFFFFF, status.st_size & 0xFFFFFFFF]


def _digits(file: str) -> str | None:
    try:
        return hashlib.sha256(Path(file).read_bytes()).hexdigest()[:16]
    except OSError:
        return None
