"""Decoding image files into one array of pixels."""

import os
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal

import numpy as np
from PIL import Image, ImageOps
from rich.progress import track

from convexp.errors import ConfigError
from convexp.terminal import console

Resize = Literal["fit", "stretch", "none"]
TWO_BYTES = re.compile(";16[BLN]")  # in Pillow's names of how pixels lie in a file
JOB = 64  # Number of images that a thread decodes before it takes the next ones.


def decode_files(files: Sequence[Path], shape: list[int], resize: str, target: Path) -> None:
    """Decode image files with several threads and write them as one array ``(N, C, H, W)`` uint8.

    Args:
        files: The image files, in the order of the array.
        shape: Shape (C, H, W) of an image.
        resize: How images of another size are treated, as in ``decode``.
        target: The ``.npy`` file to write.

    Raises:
        ConfigError: If files cannot be decoded. The message names the first and says how many more there are.
    """
    array: Any = np.lib.format.open_memmap(target, mode="w+", dtype=np.uint8, shape=(len(files), *shape))
    if hasattr(os, "posix_fallocate"):  # so that a full disk is an error here, and not a crash when the map is written
        with target.open("r+b") as opened:
            os.posix_fallocate(opened.fileno(), 0, target.stat().st_size)
    errors: list[str] = []

    def decode_job(positions: range) -> None:
        for position in positions:
            try:
                array[position] = decode(files[position], shape, resize)
            except Exception as error:  # decoders raise all kinds of errors
                known = isinstance(error, ConfigError)
                errors.append(str(error) if known else f"{files[position]}: cannot be read ({error})")

    n = len(files)
    jobs = [range(start, min(start + JOB, n)) for start in range(0, n, JOB)]
    pool = ThreadPoolExecutor(os.cpu_count())  # decoders release the interpreter lock
    try:
        done = pool.map(decode_job, jobs)
        for _ in track(done, "decoding images", len(jobs), console=console.err, disable=not console.is_terminal()):
            pass
    finally:
        pool.shutdown(cancel_futures=True)  # so that Ctrl-C does not wait for the remaining jobs
    if errors:
        raise ConfigError(min(errors) + (f"; and {len(errors) - 1} more files" if len(errors) > 1 else ""))
    array.flush()


def decode(path: Path, shape: list[int], resize: str) -> Any:
    """Decode one image file into a numpy array ``(C, H, W)`` uint8.

    The image is turned upright as its EXIF data say, and transparent pixels become black.

    Args:
        path: The image file.
        shape: Shape (C, H, W) of the result, with C = 1 for grey and 3 for colour.
        resize: ``fit`` scales the image to cover the shape and crops the middle, ``stretch`` scales each side separately, and
            ``none`` accepts images of the right size only.

    Raises:
        ConfigError: If the image has more than 8 bits per channel, or has another size and ``resize`` is ``none``.
    """
    channels, height, width = shape
    with Image.open(path) as opened:
        if opened.mode.startswith(("I", "F")):
            raise ConfigError(f"{path}: has pixels of kind {opened.mode}; should have 8 bits per channel")
        if any(map(_has_two_bytes, opened.tile)):
            raise ConfigError(f"{path}: has 16 bits per channel; should have 8")
        image: Any = ImageOps.exif_transpose(opened)
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


def _has_two_bytes(tile: Any) -> bool:
    """Whether each channel of a pixel takes two bytes in a file, by what Pillow knows of a part of it; it would keep one."""
    codec, _, _, arguments = tile
    of_pnm = codec in ("ppm", "ppm_plain") and arguments[1] > 255  # the largest value
    return of_pnm or TWO_BYTES.search(str(tile)) is not None
