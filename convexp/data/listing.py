"""The image files of a folder: which class and part each belongs to, and what tells that they have changed."""

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from convexp.errors import ConfigError

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm")
TEST = ("test", "val")  # the first that is there is tested on
PARTS = {"train", "training", "test", "testing", "val", "valid", "validation"}  # what no class is called


@dataclass(frozen=True)
class Listing:
    """Files, relative to ``root`` and sorted, with a class each (an index into ``classes``, the sorted names).

    ``test`` tells which lie in a test folder; all False where the folder has no parts.
    """

    root: Path
    classes: list[str]
    files: list[str]
    labels: list[int]
    test: list[bool]

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
                digest.update(file.encode() + b"\0" + look(self.root / file) + b"\n")
            except OSError as error:
                raise ConfigError(f"{self.root / file}: cannot be read ({error.strerror})") from None
        return digest.hexdigest()[:32]


def listing(root: Path) -> Listing:
    """The images below ``root``: ``CLASS/*``, or ``train/CLASS/*`` and ``test/CLASS/*`` (or ``val`` where there is no test).

    With all three parts those in ``val`` are learned from too: which of them validate is said by ``data.val_size``. Hidden
    files and files that are no images by their name are left out.

    Raises:
        ConfigError: naming the folder that has no images, or a class that only one of the parts has.
    """
    parts = [part for part in ("train", *TEST) if (root / part).is_dir()]
    if len(parts) < 2 or parts[0] != "train":
        parts = [""]
    held = next((part for part in TEST if part in parts), None)
    classes: list[str] = []
    found: list[tuple[bool, str, str]] = []  # in the test part, file, class
    for part in parts:
        names = sorted(entry.name for entry in _visible(root / part) if entry.is_dir())
        if odd := [name for name in names if name.lower() in PARTS]:
            raise ConfigError(
                f"data.source.root={root / part}: {odd[0]} would be a class; should hold one folder per class, or parts "
                "that are named train and test (or val)"
            )
        if not names:
            raise ConfigError(f"data.source.root={root / part}: holds no folders; should hold one per class, with its images")
        if classes and names != classes:
            odd = sorted(set(names) ^ set(classes))[0]
            raise ConfigError(f"data.source.root={root}: {', '.join(parts)} should have the same classes; {odd} is not in all")
        classes = names
        for name in names:
            files = sorted(str(file.relative_to(root)) for file in _images(root / part / name))
            if not files:
                raise ConfigError(f"data.source.root={root / part / name}: holds no images ({', '.join(SUFFIXES)})")
            found += [(part == held, file, name) for file in files]
    index = {name: i for i, name in enumerate(classes)}
    return Listing(root, classes, [f for _, f, _ in found], [index[c] for *_, c in found], [t for t, *_ in found])


def _visible(folder: Path) -> Iterator[Path]:
    return (entry for entry in folder.iterdir() if not entry.name.startswith("."))


def _images(folder: Path) -> Iterator[Path]:
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        yield from (Path(place, f) for f in files if not f.startswith(".") and f.lower().endswith(SUFFIXES))
