"""A data set from a user's image files, which are decoded once and then read from a cache."""

import hashlib
import math
from dataclasses import replace
from pathlib import Path
from typing import get_args

import torch
from torch import Tensor

from convexp.data.cache import cached_folder, remove_entry
from convexp.data.decode import Resize, decode_files
from convexp.data.listing import Listing
from convexp.data.scan import scan
from convexp.data.source import Source
from convexp.data.split import mix_classes, stratified_split
from convexp.data.stored_images import read_source, write_labels
from convexp.errors import ConfigError
from convexp.files.json_files import read_json, write_json
from convexp.terminal import console

FORMAT = 1  # Version of the cache. It is part of the keys.


def image_folder(
    root: str, shape: list[int], classes: int, resize: str, test_size: int | float, split_seed: int, cache: str
) -> Source:
    """Read the images below ``root``, which holds one folder per class, or parts with one each (``convexp.data.scan``).

    The images are decoded once, into a memory-mapped array in ``cache``. Its key depends on the contents of the files and on
    these settings. A later start finds the key by the names, sizes and times of the files, and reads their contents only if
    those have changed. It reads the array once to compare its checksum, and decodes the images again if it was altered.

    The number of files that are not used is printed by the reason, and is noted in the result as ``left_out``.

    Args:
        root: The folder.
        shape: Shape of an image, [1, H, W] for grey or [3, H, W] for colour.
        classes: Expected number of classes.
        resize: How images of another size are treated: ``fit``, ``stretch`` or ``none`` (``convexp.data.decode``).
        test_size: Number or share of the images that are held out for testing, stratified, if ``root`` has no test folder.
        split_seed: Seed of this split, and of the order of the images.
        cache: The folder for the array.

    Raises:
        ConfigError: If a setting, a folder or an image file is not as it should be, or the cache cannot be written.
    """
    if len(shape) != 3 or shape[0] not in (1, 3):
        raise ConfigError(f"data.image_shape={shape}: should be [1, H, W] for grey or [3, H, W] for colour images")
    if resize not in get_args(Resize):
        raise ConfigError(f"data.source.resize={resize}: should be one of {', '.join(get_args(Resize))}")
    images = scan(Path(root).expanduser())
    _print_ignored(root, images.ignored)
    if len(images.classes) != classes:
        names = ", ".join(images.classes[:5]) + (", ..." if len(images.classes) > 5 else "")
        raise ConfigError(f"data.classes={classes}: there are {len(images.classes)} folders in {root} ({names})")
    train, test = _parts(images, test_size, split_seed)
    settings = f"{FORMAT}-{shape}-{resize}-" + ("" if any(images.test) else f"{test_size}-") + f"{split_seed}"

    def write(folder: Path) -> None:
        order = torch.cat((train, test))
        files = [images.root / images.files[row] for row in order.tolist()]
        decode_files(files, shape, resize, folder / "images.npy")
        write_labels(folder, torch.tensor(images.labels)[order], len(train))

    folder = Path(cache).expanduser()
    try:
        key = _key(images, folder, settings)
        target = cached_folder(folder, key, write)
        try:
            source = read_source(target)
        except (ValueError, TypeError, EOFError, KeyError, FileNotFoundError):
            message = "the cached images were altered, are damaged or are of an older version; decoding again"
            console.out.print(f"data.source.cache={cache}: {message}", markup=False)
            remove_entry(folder, key)
            source = read_source(cached_folder(folder, key, write))
        return replace(source, notes={"left_out": images.ignored}, class_names=tuple(images.classes))
    except OSError as error:
        size = len(images.files) * math.prod(shape) / 1e6
        raise ConfigError(
            f"data.source.cache={cache}: cannot be used ({error}); should be a writable folder with {size:.0f} MB free"
        ) from None


def _print_ignored(root: str, ignored: dict[str, int]) -> None:
    if ignored:
        reasons = ", ".join(f"{n:,} {why}" for why, n in sorted(ignored.items(), key=lambda reason: -reason[1]))
        console.out.print(f"{root}: {sum(ignored.values()):,} files are not used: {reasons}", markup=False)


def _parts(images: Listing, test_size: int | float, split_seed: int) -> tuple[Tensor, Tensor]:
    """Return the indices of the training and the test files, with the classes mixed."""
    labels, test = torch.tensor(images.labels), torch.tensor(images.test)
    if bool(test.any()):
        parts = (~test).nonzero()[:, 0], test.nonzero()[:, 0]
    else:
        parts = stratified_split(labels, test_size, split_seed, "data.source.test_size", images.classes)
    return mix_classes(labels, parts[0], split_seed), mix_classes(labels, parts[1], split_seed)


def _key(images: Listing, folder: Path, settings: str) -> str:
    """Return the key of the array. Files are read only if their names, sizes or times are not known from an earlier start."""
    note = folder / f"{images.fingerprint()}.json"
    content = (read_json(note) or {}).get("content")
    if not isinstance(content, str):
        content = images.content()
        folder.mkdir(parents=True, exist_ok=True)
        write_json(note, {"content": content})
    return hashlib.sha256(f"{content}-{settings}".encode()).hexdigest()[:16]
