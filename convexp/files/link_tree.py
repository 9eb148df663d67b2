"""Copies that are on the disk, and share its blocks with the original where that is possible: hard links."""

import os
import shutil
from contextlib import suppress
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
    sync(target)


def sync(path: Path) -> None:
    """Wait until a file or a folder is on the disk, so that a loss of power does not take it.

    Raises:
        OSError: if it cannot be read or written.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_folders(root: Path) -> None:
    """Wait until the names of all files below a folder are on the disk."""
    for path, _, _ in os.walk(root):
        with suppress(OSError):  # some file systems cannot do it for folders
            sync(Path(path))
