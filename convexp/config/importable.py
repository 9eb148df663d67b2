"""Where Python finds modules of the user's own that are not installed: the folders of the setting ``pythonpath``."""

import sys
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path


def make_importable(folders: Iterable[str] | None) -> None:
    """Let modules in ``folders`` be imported, after all installed ones: they can hide no module that is installed.

    Only folders that the user has named may be given, never those that somebody else's run folder names. Processes that this
    one starts inherit them.
    """
    for folder in folders or ():
        absolute = str(Path(folder).expanduser().absolute())
        if absolute not in sys.path:
            sys.path.append(absolute)


def module_exists(name: str) -> bool:
    """Whether there is a module or package ``name``, without importing it."""
    try:
        return name in sys.modules or find_spec(name) is not None
    except (ImportError, ValueError):
        return False
