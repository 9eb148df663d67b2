"""Arrays on disk, written whole or not at all, and read as memory maps."""

import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from convexp.files.atomic import remove_partials
from convexp.files.locks import lock


def stored(folder: Path, key: str, write: Callable[[Path], None]) -> Path:
    """The folder ``folder/key``, made by ``write`` if it is not there.

    ``write`` fills a folder of another name, which is renamed once all of it is on the disk: whatever kills it, no reader
    ever finds a part. Of several processes that want the same key one writes and the others wait.
    """
    target = folder / key
    if target.is_dir():
        return target
    folder.mkdir(parents=True, exist_ok=True)
    _remove_partials(folder)
    with lock(folder / f"{key}.lock"):
        if target.is_dir():
            return target
        partial = folder / f"{key}.partial-{os.getpid()}"
        partial.mkdir()
        try:
            write(partial)
            for file in partial.iterdir():
                _to_disk(file)
            partial.rename(target)
            _to_disk(folder)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
    return target


def _remove_partials(folder: Path) -> None:
    """Away with what processes that were killed have left in ``folder``: who writes holds the lock of the key."""
    remove_partials(folder)
    for partial in folder.glob("?*.partial-*/"):
        key = partial.name.partition(".partial-")[0]
        with suppress(OSError), lock(folder / f"{key}.lock").acquire(timeout=0):
            shutil.rmtree(partial)


def discard(folder: Path, key: str) -> None:
    """Remove what is stored under ``key``: it turned out to be damaged."""
    with lock(folder / f"{key}.lock"):
        shutil.rmtree(folder / key, ignore_errors=True)


def _to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def mapped(file: Path) -> Tensor:
    """An array as a memory-mapped tensor; changes of it stay in memory.

    Raises:
        ValueError, EOFError: if the file is truncated or no array.
    """
    return torch.from_numpy(np.load(file, mmap_mode="c", allow_pickle=False))
