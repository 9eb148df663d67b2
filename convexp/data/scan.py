"""Finding the image files below a folder that has one folder per class."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NoReturn

from convexp.data.listing import Listing
from convexp.errors import ConfigError

SUFFIXES = (".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pbm", ".pgm", ".ppm", ".pnm")
TEST = ("test", "val")  # Names of the test folder. The first one that exists is used.
PARTS = {"train", "training", "test", "testing", "val", "valid", "validation"}  # Names that cannot be those of classes.


def scan(root: Path) -> Listing:
    """List the images below ``root``, which holds ``CLASS/*``, or ``train/CLASS/*`` and ``test/CLASS/*``.

    If there is no folder ``test``, a folder ``val`` takes its place. If there are all three, the images in ``val`` belong to
    the training part, since ``data.val_size`` chooses the validation images. Links are followed. Hidden files, files whose
    suffix is not that of an image, and files outside the parts and classes are ignored and counted.

    Raises:
        ConfigError: If a folder cannot be read or has no images, or if the parts do not have the same classes.
    """
    parts = [part for part in ("train", *TEST) if (root / part).is_dir()]
    if len(parts) < 2 or parts[0] != "train":
        parts = [""]
    test_part = next((part for part in TEST if part in parts), None)
    ignored: Counter[str] = Counter()
    if parts != [""]:
        ignored["beside the parts"] = sum(_file_count(entry) for entry in _entries(root) if entry.name not in parts)
    classes: list[str] = []
    found: list[tuple[bool, str, str]] = []  # whether it is in the test part, file, class
    for part in parts:
        names = _classes(root / part, ignored)
        if classes and names != classes:
            odd = sorted(set(names) ^ set(classes))[0]
            raise ConfigError(f"data.source.root={root}: {', '.join(parts)} should have the same classes; {odd} is not in all")
        classes = names
        for name in names:
            files = sorted(str(file.relative_to(root)) for file in _images(root / part / name, ignored))
            if not files:
                raise ConfigError(f"data.source.root={root / part / name}: holds no images ({', '.join(SUFFIXES)})")
            found += [(part == test_part, file, name) for file in files]
    index = {name: i for i, name in enumerate(classes)}
    labels, test = [index[name] for *_, name in found], [tested for tested, *_ in found]
    return Listing(root, classes, [file for _, file, _ in found], labels, test, {why: n for why, n in ignored.items() if n})


def _classes(folder: Path, ignored: Counter[str]) -> list[str]:
    """Return the sorted names of the class folders of a part."""
    names: list[str] = []
    for entry in _entries(folder):
        if entry.is_dir() and not _is_hidden(entry.name):
            names.append(entry.name)
        else:
            ignored["hidden" if _is_hidden(entry.name) else "beside the classes"] += _file_count(entry)
    if odd := sorted(name for name in names if name.lower() in PARTS):
        raise ConfigError(
            f"data.source.root={folder}: {odd[0]} would be a class; should hold one folder per class, or parts "
            "that are named train and test (or val)"
        )
    if not names:
        raise ConfigError(f"data.source.root={folder}: holds no folders; should hold one per class, with its images")
    return sorted(names)


def _images(folder: Path, ignored: Counter[str]) -> Iterator[Path]:
    """Yield the images below a class folder. Each linked folder is followed once, and none that leads upwards."""
    top = folder.resolve()
    seen = {top, *top.parents}
    for place, folders, files in os.walk(folder, followlinks=True, onerror=_raise_unreadable):
        shown, folders[:] = _visible(folders, ignored), []
        for name in shown:
            real = Path(place, name).resolve()
            if real in seen:
                ignored["linked twice"] += 1
            else:
                folders.append(name)
                seen.add(real)
        for name in _visible(files, ignored):
            suffix = Path(name).suffix.lower()
            if suffix in SUFFIXES and Path(place, name).is_file():
                yield Path(place, name)
            elif suffix in SUFFIXES:  # reading a pipe would block
                ignored["no files, or links to none"] += 1
            else:
                ignored[f"named {suffix}" if suffix else "named without a suffix"] += 1


def _visible(names: Iterable[str], ignored: Counter[str]) -> list[str]:
    every = sorted(names)
    visible = [name for name in every if not _is_hidden(name)]
    ignored["hidden"] += len(every) - len(visible)
    return visible


def _is_hidden(name: str) -> bool:
    return name.startswith(".")


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError as error:
        _raise_unreadable(error)


def _file_count(entry: Path) -> int:
    """Return 1 for a file, and the number of files below a folder."""
    return sum(len(files) for *_, files in os.walk(entry)) if entry.is_dir() and not entry.is_symlink() else 1


def _raise_unreadable(error: OSError) -> NoReturn:
    raise ConfigError(f"data.source.root: {error.filename} cannot be read ({error.strerror})") from None
