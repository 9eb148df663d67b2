"""Hydra plugins, found by Hydra in this package: where YAML files are searched, and which of them are offered as options."""

from copy import deepcopy
from pathlib import Path

from hydra._internal.core_plugins.file_config_source import FileConfigSource
from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.config_store import ConfigStore
from hydra.core.object_type import ObjectType
from hydra.plugins.config_source import ConfigResult
from hydra.plugins.search_path_plugin import SearchPathPlugin

from convexp.config.options import is_option
from convexp.config.search_path import conf_dir
from convexp.config.sources import PACKAGE, installed_sources

_read: dict[tuple[str, str, int, int], ConfigResult] = {}


class ConvexpConfigSource(FileConfigSource):
    """A folder of convexp or of a package. Files that are no choices of their own are found, but not listed as options."""

    @staticmethod
    def scheme() -> str:
        """The scheme of this source in Hydra's search path."""
        return "convexp"

    def load_config(self, config_path: str) -> ConfigResult:
        """Called by Hydra, several times for a file in every command: one that has not changed is read once in a process."""
        file = Path(self.path, self._normalize_file_name(config_path))
        try:
            found = file.stat()
        except OSError:
            return super().load_config(config_path)  # raises an error that says what is wrong
        key = (self.provider, str(file), found.st_mtime_ns, found.st_size)
        if key not in _read:
            _read[key] = super().load_config(config_path)
        return deepcopy(_read[key])  # Hydra writes in what it has been given

    def is_config(self, config_path: str) -> bool:
        """Called by Hydra. A package has no part in ``local``, the user's own defaults, which would change every run."""
        return super().is_config(config_path) and not (self.provider.startswith(PACKAGE) and config_path.startswith("local/"))

    def list(self, config_path: str, results_filter: ObjectType | None) -> list[str]:
        """Called by Hydra: the names in a folder, for ``--help``, TAB completion and error messages."""
        names = super().list(config_path, results_filter)
        files = {name: Path(self.path, config_path, f"{name}.yaml") for name in names}
        return [name for name, file in files.items() if not file.is_file() or is_option(file)]


class ConvexpSearchPath(SearchPathPlugin):
    """Makes ``conf`` a ``ConvexpConfigSource``, and adds installed packages and ``conf/local/default.yaml`` where one works."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Called by Hydra, for any application; search paths without convexp's ``conf`` are left alone."""
        ours, here = Path(conf_dir()), Path.cwd() / "conf"
        elements = [
            element for element in search_path.get_path() if element.path == f"file://{ours}" or element.path == str(ours)
        ]
        for element in elements:
            element.path = f"{ConvexpConfigSource.scheme()}://{ours}"
        if elements:
            _forget_namesakes(ours)
        for source in installed_sources()[1:] if elements else ():
            search_path.append(source.name, f"{ConvexpConfigSource.scheme()}://{source.folder}")
        if elements and here.resolve() != ours and (here / "local" / "default.yaml").is_file():
            search_path.append("convexp", f"file://{here}")


def _forget_namesakes(conf: Path) -> None:
    """Drop the launchers and sweepers of installed plugins that are called as one in ``conf``: Hydra would merge the two."""
    stored = ConfigStore.instance().repo.get("hydra", {})
    for file in conf.glob("hydra/*/*.yaml"):
        stored.get(file.parent.name, {}).pop(file.name, None)
