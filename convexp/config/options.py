"""The options of a configuration group: the YAML files in its folder, apart from those that are only shared by others.

A group with options may have folders with further ones, such as ``study=paper/ott``.

A file with the header line ``# @shared true``, such as ``conf/model/skeleton.yaml``, holds what the options of its group have
in common. They name it in their defaults lists, and users cannot choose it.
"""

from collections.abc import Iterable, Iterator
from functools import cache
from itertools import takewhile
from pathlib import Path
from typing import Any

import yaml
from omegaconf import DictConfig

from convexp.config.sources import Source, installed_sources

MODELINE = "# yaml-language-server: $schema="  # for editors: where the JSON schema of a file is (convexp.config.json_schemas)
SHARED = "# @shared true"  # header line of a file that is no option; Hydra ignores it, as it does every key but @package
# Groups of which several options may be chosen; each is stored under its own name.
MULTIPLE_CHOICE = ("augment", "probes", "logger", "callbacks")


def list_options(group: str, sources: Iterable[Source] | None = None) -> list[str]:
    """Names of the options of ``group`` in ``sources``, or of those installed; an empty list if there is no such group."""
    files = [file for source in sources or installed_sources() for file in option_files(Path(source.folder, group)).items()]
    return sorted({name for name, file in files if is_option(file)})


def option_files(folder: Path) -> dict[str, Path]:
    """The files in the folder of a group by the names of the options, with those of folders within it."""
    found = sorted(folder.glob("*.yaml"))
    below = sorted(folder.glob("*/*.yaml")) if found else []  # hydra is no group; hydra/launcher is one
    return {file.relative_to(folder).with_suffix("").as_posix(): file for file in [*found, *below]}


def is_shared(group: str, name: str, sources: Iterable[Source]) -> bool:
    """Whether ``name`` is a file of ``group`` that only other files use."""
    files = [source.file(Path(group, name)) for source in sources]
    return any(file.is_file() and not is_option(file) for file in files)


def chosen_options(cfg: DictConfig) -> Iterator[tuple[str, str]]:
    """Every group with an option that is chosen in a composed configuration, including its node ``hydra``."""
    several = {key: list(cfg[key]) for key in MULTIPLE_CHOICE if cfg.get(key) is not None}  # Hydra does not record these
    for group, chosen in {**several, **cfg.hydra.runtime.choices}.items():
        for option in chosen if isinstance(chosen, list) else [chosen]:
            yield str(group), str(option)


def with_bases(sources: Iterable[Source], name: Path) -> Iterator[tuple[Path, Path]]:
    """Yield the option ``name`` (group/option) and its file, then those of its defaults list that name one file, and theirs.

    Options that are Hydra's own are left out, and so is the defaults list of a primary configuration, which chooses options.
    """
    sources = list(sources)
    file = next((file for source in sources if (file := source.file(name)).is_file()), None)
    if file is None:
        return
    yield name, file
    content: Any = yaml.safe_load(file.read_text(encoding="utf-8")) if name.parent.name else None
    for base in content.get("defaults", []) if isinstance(content, dict) else []:
        if isinstance(base, str) and base != "_self_":
            yield from with_bases(sources, Path(base[1:]) if base.startswith("/") else name.parent / base)


def is_option(file: Path) -> bool:
    """Whether ``file`` is an option that can be chosen."""
    return SHARED not in _header(file).splitlines()


def title(file: Path) -> str:
    """What the first line of the header says that an option is; empty if there is no header."""
    return next(iter(description(file)), "").strip()


def description(file: Path) -> list[str]:
    """The lines of the header that are meant for readers: what the option is, its command, its cost and its results."""
    lines = (line for line in _header(file).splitlines() if not line.startswith(("# @", MODELINE)))
    return [line.removeprefix("#").removeprefix(" ").rstrip() for line in lines]


@cache
def _header(file: Path) -> str:
    """The comment lines at the beginning of ``file``."""
    with file.open(encoding="utf-8") as lines:
        return "".join(takewhile(lambda line: line.startswith("#"), lines))
