"""The plugin of the search path, in the package in which Hydra looks for such plugins."""

from pathlib import Path

from hydra.core.config_search_path import ConfigSearchPath
from hydra.plugins.search_path_plugin import SearchPathPlugin

from convexp.config.paths import conf_dir


class WorkingDirectory(SearchPathPlugin):
    """Adds ``conf`` in the working directory to the search path if it holds ``local/default.yaml``, the user's own defaults."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Called by Hydra, for any application; only the search path of convexp's own is changed."""
        ours, here = Path(conf_dir()), Path.cwd() / "conf"
        known = [Path(element.path.removeprefix("file://")) for element in search_path.get_path() if element.path]
        if ours in known and here.resolve() != ours and (here / "local" / "default.yaml").is_file():
            search_path.append("convexp", f"file://{here}")
