"""Copies of files that share the disk's blocks with the original where that is possible: hard links."""

import os
import shutil
from pathlib import Path


def link_or_copy(source: Path, target: Path, link: bool) -> None:
    """Make ``target`` the same file as ``source``, or a copy of it. ``source`` may be removed afterwards.

    Args:
        source: A file, not a link.
        target: A path at which nothing is.
        link: Whether it may be the same file: only what is replaced as a whole, and never changed in place.

    Raises:
        OSError: if it cannot be read or written.
    """
    if link:
        try:
            os.link(source, target, follow_symlinks=False)
        except OSError:  # another file system, one without such links, or a file of another user's
            pass
        else:
            return
    shutil.copy2(source, target, follow_symlinks=False)
