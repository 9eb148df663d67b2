"""Where the means lie: a folder of their own beside the run folders, which holds nothing else and no run."""

import hashlib
import re
import shutil
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from convexp.files.atomic import atomic_write

# Names that a sweep gives to its run folders have no spaces (convexp.studies.names), so this one is not among them.
HOME = "mean over seeds"
MARK = ".convexp-means"  # only a folder with this file is written to, and cleared
NAME = "means"  # of the event files, after their number
MAX_LENGTH = 80
_UNSAFE = re.compile(r"[^\w .,+=-]+")


def folder_names(labels: Sequence[str]) -> list[str]:
    """Return a folder for each label, relative to ``HOME``: its words, without what a file system or a path could trip over.

    A slash separates folders. Labels that come to the same folder are told apart by a digest.
    """
    names = ["/".join(map(_part, label.split("/", 1))) for label in labels]
    folded = [name.casefold() for name in names]
    return [
        f"{name} {hashlib.sha256(label.encode(errors='replace')).hexdigest()[:8]}" if folded.count(key) > 1 else name
        for name, label, key in zip(names, labels, folded, strict=True)
    ]


def _part(text: str) -> str:
    safe = _UNSAFE.sub("_", text).strip(" .")
    return safe[:MAX_LENGTH].strip(" .") or "_"


def claim(root: Path) -> Path:
    """Return the folder of the means in ``root``, made if it does not exist.

    Raises:
        OSError: If it cannot be made, or a folder of this name is not convexp's: it is left alone then.
    """
    home = root / HOME
    if home.is_symlink() or (home.exists() and not (home / MARK).is_file() and any(home.iterdir())):
        raise OSError(f"{home} was not made by convexp, and is left as it is")
    home.mkdir(exist_ok=True)
    if not (home / MARK).exists():
        with atomic_write(home / MARK) as partial:
            partial.write_text("Means over seeds for TensorBoard, written by convexp. May be removed at any time.\n")
    return home


def made_folder(home: Path, name: str) -> Path:
    """Return the folder ``name`` below ``home``, made if it does not exist.

    Raises:
        OSError: If it cannot be made, or it or a folder above it is a link, which is not followed.
    """
    folder = home
    for part in Path(name).parts:
        folder /= part
        if folder.is_symlink():
            raise OSError(f"{folder} is a link, and the folder it leads to may belong to somebody else")
        folder.mkdir(exist_ok=True)
    return folder


def remove_others(home: Path, names: Iterable[str]) -> None:
    """Remove the folders of configurations and lines that are no longer in the study."""
    kept = {home / name for name in names}
    kept |= {parent for path in kept for parent in path.parents}
    for folder in _folders(home):
        if folder not in kept:
            with suppress(OSError):
                shutil.rmtree(folder)


def _folders(home: Path) -> list[Path]:
    """The folders of ``home`` and those within them; links are not followed."""
    first = [entry for entry in home.iterdir() if entry.is_dir() and not entry.is_symlink()]
    second = [entry for folder in first for entry in folder.iterdir() if entry.is_dir() and not entry.is_symlink()]
    return [*second, *first]
