"""The image files of a folder: which class and part each belongs to, and what tells that they have changed."""

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from convexp.errors import ConfigError

SUFFIXES = (".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pbm", ".pgm", ".ppm", ".pnm")
TEST = ("test", "val")  # the first that is there is tested on
PARTS = {"train", "training", "test", "testing", "val", "valid", "validation"}  # what no class is called


@dataclass(frozen=True)
class Listing:
    """Files, relative to ``root`` and sorted, with a class each (an index into ``classes``, the sorted names).

    ``test`` tells which lie in a test folder; all False where the folder has no parts. ``left_out`` says of how many files and
    linked folders, by the reason, no use is made.
    """

    root: Path
    classes: list[str]
    files: list[str]
    labels: list[int]
    test: list[bool]
    left_out: dict[str, int]

    def fingerprint(self) -> str:
        """A hash of the files' names, sizes and times of change: cheap, and another one after any change.

        Raises:
            ConfigError: naming the file that is not there.
        """
        return self._hash(lambda path: "{0.st_size} {0.st_mtime_ns} {0.st_ctime_ns}".format(path.stat()).encode())

    def content(self) -> str:
        """A hash of the files' names and of all they hold, wherever the folder lies and however old it is.

        Raises:
            ConfigError: naming the file that may not be read.
        """
        return self._hash(lambda path: hashlib.sha256(path.read_bytes()).digest())

    def _hash(self, look: Callable[[Path], bytes]) -> str:
        digest = hashlib.sha256()
        for file in self.files:
            try:
                digest.update(os.fsencode(file) + b"\0" + look(self.root / file) + b"\n")
            except OSError as error:
                raise ConfigError(f"{self.root / file}: cannot be read ({error.strerror})") from None
        return digest.hexdigest()[:32]


def listing(root: Path) -> Listing:
    """The images below ``root``: ``CLASS/*``, or ``train/CLASS/*`` and ``test/CLASS/*`` (or ``val`` where there is no test).

    With all three parts those in ``val`` are learned from too: which of them validate is said by ``data.val_size``. Links are
    followed. Left out are hidden files, files that are no images by their name, and what lies beside parts and classes.

    Raises:
        ConfigError: naming the folder that has no images or cannot be read, or a class that only one of the parts has.
    """
    parts = [part for part in ("train", *TEST) if (root / part).is_dir()]
    if len(parts) < 2 or parts[0] != "train":
        parts = [""]
    held = next((part for part in TEST if part in parts), None)
    left: Counter[str] = Counter()
    if parts != [""]:
        left["beside the parts"] = sum(_size(entry) for entry in _entries(root) if entry.name not in parts)
    classes: list[str] = []
    found: list[tuple[bool, str, str]] = []  # in the test part, file, class
    for part in parts:
        names = _classes(root / part, left)
        if classes and names != classes:
            odd = sorted(set(names) ^ set(classes))[0]
            raise ConfigError(f"data.source.root={root}: {', '.join(parts)} should have the same classes; {odd} is not in all")
        classes = names
        for name in names:
            files = sorted(str(file.relative_to(root)) for file in _images(root / part / name, left))
            if not files:
                raise ConfigError(f"data.source.root={root / part / name}: holds no images ({', '.join(SUFFIXES)})")
            found += [(part == held, file, name) for file in files]
    index = {name: i for i, name in enumerate(classes)}
    labels, test = [index[name] for *_, name in found], [tested for tested, *_ in found]
    return Listing(root, classes, [file for _, file, _ in found], labels, test, {why: n for why, n in left.items() if n})


def _classes(folder: Path, left: Counter[str]) -> list[str]:
    """The folders of a part, sorted."""
    names: list[str] = []
    for entry in _entries(folder):
        if entry.is_dir() and not _is_hidden(entry.name):
            names.append(entry.name)
        else:
            left["hidden" if _is_hidden(entry.name) else "beside the classes"] += _size(entry)
    if odd := sorted(name for name in names if name.lower() in PARTS):
        raise ConfigError(
            f"data.source.root={folder}: {odd[0]} would be a class; should hold one folder per class, or parts "
            "that are named train and test (or val)"
        )
    if not names:
        raise ConfigError(f"data.source.root={folder}: holds no folders; should hold one per class, with its images")
    return sorted(names)


def _images(folder: Path, left: Counter[str]) -> Iterator[Path]:
    """The images below the folder of a class. Linked folders are followed, each once and none to above, so that loops end."""
    top = folder.resolve()
    seen = {top, *top.parents}
    for place, folders, files in os.walk(folder, followlinks=True, onerror=_refuse):
        shown, folders[:] = _visible(folders, left), []
        for name in shown:
            real = Path(place, name).resolve()
            if real in seen:
                left["linked twice"] += 1
            else:
                folders.append(name)
                seen.add(real)
        for name in _visible(files, left):
            suffix = Path(name).suffix.lower()
            if suffix in SUFFIXES and Path(place, name).is_file():
                yield Path(place, name)
            elif suffix in SUFFIXES:  # a pipe would be waited for
                left["no files, or links to none"] += 1
            else:
                left[f"named {suffix}" if suffix else "named without a suffix"] += 1


def _visible(names: Iterable[str], left: Counter[str]) -> list[str]:
    """Those that are not hidden, sorted."""
    every = sorted(names)
    shown = [name for name in every if not _is_hidden(name)]
    left["hidden"] += len(every) - len(shown)
    return shown


def _is_hidden(name: str) -> bool:
    return name.startswith(".")


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError as error:
        _refuse(error)


def _size(entry: Path) -> int:
    """The number of files: 1, or those in a folder."""
    return sum(len(files) for *_, files in os.walk(entry)) if entry.is_dir() and not entry.is_symlink() else 1


def _refuse(error: OSError) -> NoReturn:
    raise ConfigError(f"data.source.root: {error.filename} cannot be read ({error.strerror})") from None
