"""The folders that YAML files come from: convexp's own, those of installed packages, and those that the user names."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from omegaconf import DictConfig

from convexp.config.search_path import conf_dir
from convexp.terminal import console

GROUP = "convexp.configs"  # entry points of packages with configurations
PACKAGE = "package "  # begins the name of a source that is a package


@dataclass(frozen=True)
class Source:
    """A folder of YAML files, one folder within it for each group.

    Attributes:
        name: What messages call it: ``convexp``, ``package NAME``, or the path of a folder that the user named.
        folder: The folder.
    """

    name: str
    folder: Path

    def file(self, option: Path) -> Path:
        """The file of ``option`` (group/option) in this folder, whether or not it exists."""
        return self.folder / f"{option}.yaml"


@cache
def installed_sources() -> tuple[Source, ...]:
    """Convexp's own folder, then those of installed packages that announce one by an entry point.

    No package is imported. One whose entry point leads nowhere is named in a line on stderr, once, and left out.
    """
    return (Source("convexp", Path(conf_dir())), *_package_sources())


def versions_of(targets: Iterable[str]) -> dict[str, str]:
    """The versions of those packages with configurations that the names ``targets`` belong to, by the package's name."""
    modules = {target.partition(".")[0] for target in targets}
    return {point.package: point.version for point in _announced() if point.value.partition(".")[0] in modules}


class Announcement(NamedTuple):
    """An entry point: the package that announces a folder, its version, and where the folder is (``package.folder``)."""

    package: str
    version: str
    value: str


@cache
def _announced() -> tuple[Announcement, ...]:
    try:
        points = [(point.dist, point) for point in entry_points(group=GROUP)]
        return tuple(sorted(Announcement(dist.name, dist.version, point.value) for dist, point in points if dist))
    except Exception as error:  # the metadata of any installed package may be damaged
        _warn(f"the entry points of installed packages cannot be read ({type(error).__name__}: {error}); none is used")
        return ()


def _package_sources() -> Iterable[Source]:
    for package, _, value in _announced():
        folder = find_folder(value)
        if folder is None:
            _warn(f"{PACKAGE}{package}: its entry point {GROUP} is {value}, where there is no folder; it is left out")
        else:
            yield Source(f"{PACKAGE}{package}", folder)


def _warn(message: str) -> None:
    console.print_error("convexp", message)


def find_folder(dotted: str) -> Path | None:
    """The folder of the package, or the folder within a package, that ``package.folder`` names; None if there is none.

    The package is found, not imported: that might import torch.
    """
    package, *parts = dotted.replace("/", ".").split(".")
    try:
        spec = find_spec(package)
    except (ImportError, ValueError, AttributeError):
        return None
    roots = (spec.submodule_search_locations or ()) if spec else ()
    return next((folder for root in roots if all(parts) and (folder := Path(root, *parts)).is_dir()), None)


def composed_sources(cfg: DictConfig) -> list[Source]:
    """The folders that a composed configuration, including its node ``hydra``, was searched for in; the first has priority."""
    found: dict[Path, Source] = {}
    for info in cfg.hydra.runtime.config_sources:
        folder = Path(info.path)
        if info.path and folder.is_dir():
            found.setdefault(folder.resolve(), Source(_name(info.provider, folder), folder))
    return list(found.values())


def _name(provider: str, folder: Path) -> str:
    if folder == Path(conf_dir()):
        return "convexp"
    return provider if provider.startswith(PACKAGE) else console.display_path(folder)
