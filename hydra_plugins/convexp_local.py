"""Where Hydra looks for plugins of the search path."""

from pathlib import Path

from hydra.core.config_search_path import ConfigSearchPath
from hydra.plugins.search_path_plugin import SearchPathPlugin

from convexp.config.paths import conf_dir


class WorkingDirectory(SearchPathPlugin):
    """``conf/local/default.yaml`` in the working directory holds the user's own defaults, however convexp is installed."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Called by Hydra, for any application: others than convexp's are left alone."""
        ours, here = Path(conf_dir()), Path.cwd() / "conf"
        known = [Path(element.path.removeprefix("file://")) for element in search_path.get_path() if element.path]
        if ours in known and here.resolve() != ours and (here / "local" / "default.yaml").is_file():
            search_path.append("convexp", f"file://{here}")
