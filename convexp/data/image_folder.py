"""A user's own images: a folder per class, decoded once."""

import hashlib
import math
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageOps
from rich.progress import track
from torch import Tensor

from convexp.data.cache import discard, mapped, stored
from convexp.data.listing import Listing, listing
from convexp.data.source import CHUNK, Source, Stored, checksum, moments
from convexp.data.split import held_out, mixed
from convexp.errors import ConfigError
from convexp.files.json_files import read_json, write_json
from convexp.terminal import console

FORMAT = 1  # of the cache: part of its keys
RESIZE = ("fit", "stretch", "none")
JOB = 64  # images that a thread decodes before it asks for more


def image_folder(
    root: str, shape: list[int], classes: int, resize: str, test_size: int | float, split_seed: int, cache: str
) -> Source:
    """The images below ``root`` (``convexp.data.listing``), grey or colour as ``shape`` (C, H, W) has 1 or 3 channels.

    They are decoded once into a memory-mapped array in ``cache``, under a key made of what the files hold and of these
    settings. A start finds the key by the files' names, sizes and times; if those have changed, it looks into the files. It
    reads the array once, for its checksum: one that was altered is made again. How
    many files were left out, and why, is said on the terminal and noted in the result as ``left_out``.

    Args:
        root: the folder.
        shape: of an image.
        classes: how many there should be.
        resize: ``fit`` scales to cover the shape and cuts off what stands out on two sides; ``stretch`` scales each side by
            its own; ``none`` takes images of the right size only.
        test_size: how many, or which share, are held out, stratified, where ``root`` has no test folder of its own.
        split_seed: of these.
        cache: the folder for the array.

    Raises:
        ConfigError: naming the file or folder that is not as it should be, or the setting.
    """
    if len(shape) != 3 or shape[0] not in (1, 3):
        raise ConfigError(f"data.image_shape={shape}: should be [1, H, W] for grey or [3, H, W] for colour images")
    if resize not in RESIZE:
        raise ConfigError(f"data.source.resize={resize}: should be one of {', '.join(RESIZE)}")
    images = listing(Path(root).expanduser())
    _say_left_out(root, images.left_out)
    if len(images.classes) != classes:
        names = ", ".join(images.classes[:5]) + (", ..." if len(images.classes) > 5 else "")
        raise ConfigError(f"data.classes={classes}: there are {len(images.classes)} folders in {root} ({names})")
    learn, test = _parts(images, test_size, split_seed)
    settings = f"{FORMAT}-{shape}-{resize}" + ("" if any(images.test) else f"-{test_size}-{split_seed}")

    def write(folder: Path) -> None:
        _decode(images, torch.cat((learn, test)).tolist(), shape, resize, folder / "images.npy")
        _describe(folder, torch.tensor(images.labels), learn, test)

    folder = Path(cache).expanduser()
    try:
        key = _key(images, folder, settings)
        target = stored(folder, key, write)
        try:
            source = _read(target)
        except (ValueError, EOFError, KeyError, FileNotFoundError):
            said = "what is there was altered, is damaged or of an older version: decoding again"
            console.out.print(f"data.source.cache={cache}: {said}", markup=False)
            discard(folder, key)
            source = _read(stored(folder, key, write))
        return replace(source, notes={"left_out": images.left_out})
    except OSError as error:
        size = len(images.files) * math.prod(shape) / 1e6
        raise ConfigError(
            f"data.source.cache={cache}: cannot be used ({error}); should be a folder to write in, with {size:.0f} MB free"
        ) from None


def _say_left_out(root: str, left_out: dict[str, int]) -> None:
    """A line on the files that no use is made of, if there are any."""
    if left_out:
        reasons = ", ".join(f"{n:,} {why}" for why, n in sorted(left_out.items(), key=lambda reason: -reason[1]))
        console.out.print(f"{root}: {sum(left_out.values()):,} files left out: {reasons}", markup=False)


def _parts(images: Listing, test_size: int | float, split_seed: int) -> tuple[Tensor, Tensor]:
    """Indices of the files to learn from and of those to test on, the classes mixed: probes look at the first so many."""
    labels, test = torch.tensor(images.labels), torch.tensor(images.test)
    if bool(test.any()):
        parts = (~test).nonzero()[:, 0], test.nonzero()[:, 0]
    else:
        parts = held_out(labels, test_size, split_seed, "data.source.test_size")
    return mixed(labels, parts[0], split_seed), mixed(labels, parts[1], split_seed)


def _key(images: Listing, folder: Path, settings: str) -> str:
    """Key of the array: from the files' contents, which are looked at only if their names, sizes or times are new."""
    note = folder / f"{images.fingerprint()}.json"
    content = (read_json(note) or {}).get("content")
    if not isinstance(content, str):
        content = images.content()
        folder.mkdir(parents=True, exist_ok=True)
        write_json(note, {"content": content})
    return hashlib.sha256(f"{content}-{settings}".encode()).hexdigest()[:16]


def _decode(images: Listing, order: list[int], shape: list[int], resize: str, file: Path) -> None:
    """Write the images in ``order`` as one array ``(N, C, H, W)``.

    Raises:
        ConfigError: naming the first file that cannot be read and how many more there are.
    """
    array: Any = np.lib.format.open_memmap(file, mode="w+", dtype=np.uint8, shape=(len(order), *shape))
    if hasattr(os, "posix_fallocate"):  # a full disk is an error here, and a crash where a map is written to
        with file.open("r+b") as opened:
            os.posix_fallocate(opened.fileno(), 0, file.stat().st_size)
    wrong: list[str] = []

    def some(positions: range) -> None:
        for position in positions:
            path = images.root / images.files[order[position]]
            try:
                array[position] = decoded(path, shape, resize)
            except Exception as error:  # decoders raise whatever they like
                wrong.append(str(error) if isinstance(error, ConfigError) else f"{path}: cannot be read ({error})")

    n = len(order)
    jobs = [range(start, min(start + JOB, n)) for start in range(0, n, JOB)]
    pool = ThreadPoolExecutor(os.cpu_count())  # decoders let other threads run
    try:
        done = pool.map(some, jobs)
        for _ in track(done, "decoding images", len(jobs), console=console.err, disable=not console.is_terminal()):
            pass
    finally:
        pool.shutdown(cancel_futures=True)  # after Ctrl-C nobody waits for the rest
    if wrong:
        raise ConfigError(min(wrong) + (f"; and {len(wrong) - 1} more files" if len(wrong) > 1 else ""))
    array.flush()


def decoded(path: Path, shape: list[int], resize: str) -> Any:
    """One image as an array ``(C, H, W)`` uint8: upright as its EXIF says, transparent parts black.

    Raises:
        ConfigError: if it has more than 8 bits per channel, or another size with ``resize=none``.
    """
    channels, height, width = shape
    with Image.open(path) as opened:
        image: Any = ImageOps.exif_transpose(opened)
        if image.mode.startswith(("I", "F")):
            raise ConfigError(f"{path}: has pixels of kind {image.mode}; should have 8 bits per channel")
        if image.has_transparency_data:
            image = image.convert("RGBA")
            image = Image.alpha_composite(Image.new("RGBA", image.size, "black"), image)
        image = image.convert("L" if channels == 1 else "RGB")
        if resize == "fit":
            image = ImageOps.fit(image, (width, height))
        elif resize == "stretch":
            image = image.resize((width, height))
        elif image.size != (width, height):
            raise ConfigError(
                f"{path}: is {image.height}x{image.width} pixels, data.image_shape={shape} says {height}x{width}; "
                "set data.source.resize=fit or stretch"
            )
        pixels = np.asarray(image)
    return pixels[None] if channels == 1 else pixels.transpose(2, 0, 1)


def _describe(folder: Path, labels: Tensor, learn: Tensor, test: Tensor) -> None:
    """Write beside the array what is known of it."""
    images = mapped(folder / "images.npy")
    parts = (images[: len(learn)], labels[learn], images[len(learn) :], labels[test])
    sums = torch.cat([moments(chunk) for chunk in parts[0].split(CHUNK)])
    for name, tensor in (("labels", torch.cat((labels[learn], labels[test]))), ("moments", sums)):
        np.save(folder / f"{name}.npy", tensor.numpy())
    write_json(folder / "about.json", {"learn": len(learn), "checksum": checksum(*parts), "moments": checksum(sums)})


def _read(folder: Path) -> Source:
    """The arrays, whose checksums are computed and compared with those they had when they were written.

    Raises:
        ValueError, EOFError, KeyError, FileNotFoundError: if something is missing, truncated or altered.
    """
    about = read_json(folder / "about.json") or {}
    n, images, sums = int(about["learn"]), mapped(folder / "images.npy"), mapped(folder / "moments.npy")
    labels = torch.from_numpy(np.load(folder / "labels.npy"))
    parts = (images[:n], labels[:n], images[n:], labels[n:])
    found = checksum(*parts)
    if found != about["checksum"] or checksum(sums) != about["moments"]:
        raise ValueError("the arrays are not those that were written")
    return Source(*parts, Stored(found, sums))
