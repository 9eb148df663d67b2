"""Checks what lies in a run folder, which may come from anybody: only files and folders that a run creates, and no way out."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from convexp.errors import RefusedError

FOLDERS = (".hydra", "checkpoints", "probes")
FILES = (".lock", "train.log")
LEASE = re.compile(r"\.lease-\d+")
WANDB_LOG = re.compile(r"wandb/[^/]+/logs/debug-core\.log")  # W&B's link to its log elsewhere, through which nothing is written
SUFFIXES = (".ckpt", ".csv", ".json", ".png", ".yaml")


def check_inside(folder: Path) -> None:
    """Check that writing into ``folder`` cannot write outside of it, and that reading it cannot block.

    Links are allowed if they lead to something in the folder, as trackers create such links; so is W&B's to its own log.
    Pipes and devices are refused.

    Raises:
        RefusedError: If the folder cannot be read or holds something that a run does not create; the message names it.
    """
    root = folder.resolve()
    try:
        for entry in _entries(root):
            if wrong := _wrong(entry, root):
                raise RefusedError(
                    f"{folder / Path(entry.path).relative_to(root)}: {wrong}; remove it, or choose another folder"
                )
    except OSError as error:
        raise RefusedError(f"{error.filename or folder}: cannot be read ({error.strerror})") from None


def check_way(root: Path, folder: Path) -> None:
    """Check that no link lies on the way from ``root``, the folder of a sweep, to ``folder``, that of one of its runs.

    Raises:
        RefusedError: If there is one; the message names it.
    """
    for path in (folder, *folder.parents):
        if path != root and path.is_relative_to(root) and path.is_symlink():
            raise RefusedError(f"{path}: is a link, where a sweep keeps a folder; remove it, or choose another folder")


def _entries(root: Path) -> Iterator[os.DirEntry[str]]:
    folders = [str(root)]
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                yield entry
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)


def _wrong(entry: os.DirEntry[str], root: Path) -> str | None:
    """Return what is wrong with an entry; None if nothing is."""
    if entry.is_symlink():
        if WANDB_LOG.fullmatch(Path(entry.path).relative_to(root).as_posix()):
            return None
        return None if _leads_inside(Path(entry.path), root) else "is a link that leads out of the run's folder, or nowhere"
    if entry.is_dir():
        is_file = entry.name.endswith(SUFFIXES) or entry.name in FILES or LEASE.fullmatch(entry.name)
        return "is a folder, where a run keeps a file" if is_file else None
    if not entry.is_file():
        return "is a pipe or a device, where a run keeps a file"
    return "is a file, where a run keeps a folder" if entry.name in FOLDERS else None


def _leads_inside(link: Path, root: Path) -> bool:
    try:
        return link.resolve(strict=True).is_relative_to(root)
    except (OSError, RuntimeError):  # RuntimeError: links in a circle, before Python 3.13
        return False
