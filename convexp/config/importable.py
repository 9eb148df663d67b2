"""Where Python finds modules of the user's own that are not installed: the folders of the setting ``pythonpath``."""

import sys
from collections.abc import Iterable
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
