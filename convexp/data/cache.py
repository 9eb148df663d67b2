"""Folders of arrays on disk that are written completely or not at all, and read as memory maps."""

import os
import shutil
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from convexp.files.atomic import remove_partials
from convexp.files.host import host_tag
from convexp.files.locks import lock, lock_if_supported


def cached_folder(folder: Path, key: str, write: Callable[[Path], None]) -> Path:
    """Return the folder ``folder/key``, and fill it first if it does not exist.

    The files are written to a temporary folder, which is renamed once everything is on the disk. Readers thus never see a
    partial folder, even if the process is killed. If several processes want the same key, one writes and the others wait.

    Args:
        folder: The folder of the cache.
        key: Name of the entry.
        write: Writes the files into the folder that it is given.
    """
    target = folder / key
    if target.is_dir():
        return target
    folder.mkdir(parents=True, exist_ok=True)
    _remove_partials(folder)
    with _locked(folder, key):
        if target.is_dir():
            return target
        partial = folder / f"{key}.partial-{host_tag()}-{os.getpid()}"
        partial.mkdir()
        try:
            write(partial)
            for file in partial.iterdir():
                _sync(file)
            partial.rename(target)
            _sync(folder)
        except BaseException as error:
            shutil.rmtree(partial, ignore_errors=True)
            if not isinstance(error, OSError) or not target.is_dir():  # else a machine that the lock does not reach was faster
                raise
    return target


@contextmanager
def _locked(folder: Path, key: str) -> Generator[None]:
    """Hold the lock of an entry, if the file system has locks."""
    held = lock(folder / f"{key}.lock")
    lock_if_supported(held, timeout=-1)
    try:
        yield
    finally:
        held.release()


def _remove_partials(folder: Path) -> None:
    """Remove what killed processes left behind. A process that still writes holds the lock of its key."""
    remove_partials(folder)
    for partial in folder.glob("?*.partial-*/"):
        key, _, writer = partial.name.partition(".partial-")
        if "-" in writer and not writer.startswith(host_tag()):
            continue  # of another machine, which the lock need not reach
        with suppress(OSError), lock(folder / f"{key}.lock").acquire(timeout=0):
            shutil.rmtree(partial)


def remove_entry(folder: Path, key: str) -> None:
    """Remove the folder ``folder/key``, if it exists, while no other process writes it."""
    with _locked(folder, key):
        shutil.rmtree(folder / key, ignore_errors=True)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def load_mapped(file: Path) -> Tensor:
    """Load an ``.npy`` file as a memory-mapped tensor. Changes to the tensor stay in memory.

    Raises:
        ValueError, EOFError: If the file is truncated or does not hold an array.
    """
    return torch.from_numpy(np.load(file, mmap_mode="c", allow_pickle=False))
