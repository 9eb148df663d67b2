"""The options of a configuration group: the YAML files in its folder, apart from those that are only shared by others.

A file with the header line ``# @shared true``, such as ``conf/model/skeleton.yaml``, holds what the options of its group have
in common. They name it in their defaults lists, and users cannot choose it.
"""

from functools import cache
from itertools import takewhile
from pathlib import Path

from convexp.config.search_path import conf_dir

SHARED = "# @shared true"  # header line of a file that is no option; Hydra ignores it, as it does every key but @package
MULTIPLE_CHOICE = ("probes", "logger")  # groups of which several options may be chosen; each is stored under its own name


def list_options(group: str) -> list[str]:
    """Names of the options of ``group`` that convexp itself has; an empty list if there is no such group."""
    return sorted(file.stem for file in _files(group) if is_option(file))


def is_shared(group: str, name: str) -> bool:
    """Whether ``name`` is a file of ``group`` that only other files use."""
    file = Path(conf_dir(), group, f"{name}.yaml")
    return file.is_file() and not is_option(file)


def is_option(file: Path) -> bool:
    """Whether ``file`` is an option that can be chosen."""
    return SHARED not in _header(file).splitlines()


def title(file: Path) -> str:
    """What the first line of the header says that an option is; empty if there is no header."""
    first = next((line for line in _header(file).splitlines() if not line.startswith("# @")), "")
    return first.removeprefix("#").strip()


def _files(group: str) -> list[Path]:
    return list(Path(conf_dir(), group).glob("*.yaml"))


@cache
def _header(file: Path) -> str:
    """The comment lines at the beginning of ``file``."""
    with file.open(encoding="utf-8") as lines:
        return "".join(takewhile(lambda line: line.startswith("#"), lines))
