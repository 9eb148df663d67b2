"""Check that the folder or file of the data exists."""

import shlex
from pathlib import Path

from convexp.config.schema import Config, Probing
from convexp.errors import ConfigError
from convexp.terminal.console import display_path


def check_data_files(config: Config | Probing) -> None:
    """Check that the folder or file that ``data.source`` names exists, or that the data can be downloaded into it.

    Raises:
        ConfigError: naming it and what to do.
    """
    source = config.data.source.spec()
    file, root = source.get("file"), source.get("root")
    for setting, path in (("file", file), ("root", root)):
        if path is not None and not isinstance(path, str):
            raise ConfigError(f"data.source.{setting}={path}: should be a path; quote a number, as in '\"{path}\"'")
    if file is not None and not Path(file).is_file():
        raise ConfigError(f"data.source.file={display_path(Path(file))}: {_no('file', Path(file))}")
    if root is None or Path(root).is_dir():
        return
    if "download" not in source:
        raise ConfigError(f"data.source.root={display_path(Path(root))}: {_no('folder', Path(root))}")
    name, folder = config.data.name, display_path(Path(root))
    raise ConfigError(
        f"data.source.root={folder}: there is no such folder; set CONVEXP_DATA to the folder that holds {name}, or create it "
        f"(mkdir -p {shlex.quote(folder)}) to have {name} downloaded into it"
    )


def _no(kind: str, path: Path) -> str:
    """Why there is no file, or no folder, at ``path``."""
    if path.exists():
        return f"is no {kind}; should be one"
    return f"there is no such {kind}; if the data of a run has moved, add data_root=FOLDER with its new folder"
