"""Where Python finds modules of the user's own that are not installed: the folders of the setting ``pythonpath``."""

import sys
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

_added: set[str] = set()  # by earlier calls, at the end of the path


def make_importable(folders: Iterable[str] | None) -> None:
    """Let modules in ``folders`` be imported, after all installed ones: they can hide no module that is installed.

    They come before the folders of earlier calls, so that a run finds its own modules. Only folders that the user has named may
    be given, never those that somebody else's run folder names. Processes that this one starts inherit them.
    """
    absolute = dict.fromkeys(str(Path(folder).expanduser().absolute()) for folder in folders or ())
    end = len(sys.path)
    while end and sys.path[end - 1] in _added:
        end -= 1
    added = [folder for folder in absolute if folder not in sys.path[:end]]
    sys.path[end:] = [*added, *(folder for folder in sys.path[end:] if folder not in added)]
    _added.update(added)


def module_exists(name: str) -> bool:
    """Whether there is a module or package ``name``, without importing it."""
    try:
        return name in sys.modules or find_spec(name) is not None
    except (ImportError, ValueError):
        return False
