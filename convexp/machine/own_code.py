"""Code of the user's own: neither convexp's, nor Python's, nor of an installed package."""

import hashlib
import sys
import sysconfig
import traceback
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from types import ModuleType

ENDING = ".py"  # of the names of ``checksums``


INSTALLED = {"site-packages", "dist-packages"}  # folders of packages, the user's own among them


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
        The digits by the name of the file, such as ``lab/nets.py``, also of the user's modules that those import.
    """
    found, waiting, seen = dict[str, str](), [target.rpartition(".")[0] for target in targets], set[str]()
    while waiting:
        name = waiting.pop()
        module = sys.modules.get(name)
        file = getattr(module, "__file__", None)
        if name in seen or name == "__main__" or module is None or file is None or not _is_own(file):
            continue
        seen.add(name)
        if (digits := _digits(file)) is not None:
            found[f"{name.replace('.', '/')}{ENDING}"] = digits
        waiting += [_module_of(value) for value in list(vars(module).values())]
    return dict(sorted(found.items()))


def changed(targets: Iterable[str], versions: Mapping[str, str]) -> list[str]:
    """Return those files of ``checksums`` that are other ones than a run has recorded among its versions, by name."""
    return [name for name, digits in checksums(targets).items() if not versions.get(name, digits).endswith(digits)]


def changed_on_path(versions: Mapping[str, str]) -> list[str]:
    """As ``changed``, of modules that need not have been imported: by the files that an import would find."""
    return [name for name, digits in versions.items() if name.endswith(ENDING) and not _is_same_on_path(name, digits)]


def _is_same_on_path(name: str, digits: str) -> bool:
    """Whether the first file of a module on the path, if there is one, has these digits."""
    names = (name, f"{name.removesuffix(ENDING)}/__init__{ENDING}")
    file = next((path for folder in sys.path for path in (Path(folder, each) for each in names) if path.is_file()), None)
    here = _digits(str(file)) if file is not None else None
    return here is None or digits.endswith(here)


def _module_of(value: object) -> str:
    name = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)
    return name if isinstance(name, str) else ""


@cache
def _digits(file: str) -> str | None:
    """As they were first asked for in this process, which goes on with the code that it has imported."""
    try:
        return hashlib.sha256(Path(file).read_bytes()).hexdigest()[:16]
    except OSError:
        return None
