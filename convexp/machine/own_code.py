"""Code of the user's own: neither convexp's, nor Python's, nor of an installed package."""

import hashlib
import sys
import sysconfig
import traceback
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.machinery import ModuleSpec
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
    modules = [module for module in _own_modules(targets) if _digits_of(module) is not None]
    return [_file_name(module.__name__) for module in modules if _digits(str(module.__file__)) != _digits_of(module)]


def check_imported(target: str) -> None:
    """Check that the user's modules that an object comes from are those that a new process would import.

    Raises:
        ImportError: If this process has imported one from another folder before, whose name is the same.
    """
    for module in _own_modules([target]):
        file, found = Path(str(module.__file__)), _first_on_path(_file_name(module.__name__))
        if found is not None and file.exists() and not found.samefile(file):
            raise ImportError(
                f"this process has imported {module.__name__} from {file}, and here it is {found.absolute()}; use a new process"
            )


def _own_modules(targets: Iterable[str]) -> list[ModuleType]:
    """The user's modules that objects come from and that have been imported, and those that they import."""
    found, waiting = dict[str, ModuleType](), [target.rpartition(".")[0] for target in targets]
    while waiting:
        name = waiting.pop()
        module = sys.modules.get(name)
        file = getattr(module, "__file__", None)
        if name in found or name == "__main__" or module is None or file is None or not _is_own(file):
            continue
        found[name] = module
        waiting += [_module_of(value) for value in list(vars(module).values())]
    return list(found.values())


def _file_name(module: str) -> str:
    return f"{module.replace('.', '/')}{ENDING}"


def _is_same_on_path(name: str, digits: str) -> bool:
    """Whether a module, or its first file on the path, if there is one, has these digits."""
    module, file = sys.modules.get(name.removesuffix(ENDING).replace("/", ".")), _first_on_path(name)
    here = _digits_of(module) if module is not None else _digits(str(file)) if file is not None else None
    return here is None or digits.endswith(here)


def _first_on_path(name: str) -> Path | None:
    """The file that an import would find for a module, by the name of its file."""
    names = (name, f"{name.removesuffix(ENDING)}/__init__{ENDING}")
    return next((path for folder in sys.path for path in (Path(folder, each) for each in names) if path.is_file()), None)


def _module_of(value: object) -> str:
    name = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)
    return name if isinstance(name, str) else ""


def _digits_of(module: ModuleType) -> str | None:
    """Those of a module as it was imported: another one of its name, or a module that is reloaded, has another ``__spec__``."""
    spec, digits = _noted.get(module.__name__, (None, None))
    if spec is None or spec is not module.__spec__:
        digits = _digits(str(module.__file__))
        _noted[module.__name__] = module.__spec__, digits
    return digits


def _digits(file: str) -> str | None:
    try:
        return hashlib.sha256(Path(file).read_bytes()).hexdigest()[:16]
    except OSError:
        return None
