"""Writing and reading ``playground.json``, a trained network that a page runs; the reader trusts nothing in the file.

Both sides check: this reader what can be seen without following the network from layer to layer, the script that runs it
(``convexp/reporting/render/html/playground/network.js``) the rest.
"""

import math
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from convexp.files.json_files import write_json
from convexp.records.damage import DamagedError, decoded
from convexp.records.playground_format import MAX_FILE, MAX_IMAGE, MAX_WEIGHTS, VERSION, LeftOut, Playground
from convexp.records.settings import printable

FILE = "playground.json"


class _Head(Struct):
    version: int
    left_out: Annotated[str, Meta(max_length=1000)] | None = None


HEAD, WHOLE = msgspec.json.Decoder(_Head), msgspec.json.Decoder(Playground)


def write_playground(folder: Path, network: Playground | LeftOut) -> None:
    """Write ``playground.json`` into the folder of a run; a reader sees all of it, or what was there before.

    Raises:
        OSError: If it cannot be written.
        ValueError: If a number in it is not finite.
    """
    content: dict[str, Any] = msgspec.to_builtins(network)
    write_json(folder / FILE, content)


def read_playground(folder: Path) -> Playground | LeftOut:
    """Read the network of the run in ``folder``; one that is missing, damaged or too large is left out with a sentence."""
    try:
        content = _read(folder / FILE)
        head = decoded(HEAD, content)
        if head.version != VERSION:
            raise DamagedError(f"is of version {head.version}, this convexp reads {VERSION}")
        if head.left_out is not None:
            return LeftOut(left_out=printable(head.left_out))
        network = decoded(WHOLE, content)
        _check(network)
    except DamagedError as error:
        return LeftOut(left_out=printable(f"{FILE}: {error}"))
    return network


def _read(file: Path) -> bytes:
    try:
        if not file.is_file():  # a pipe would never end
            raise DamagedError("is missing; convexp-eval run=FOLDER writes it")
        with file.open("rb") as opened:
            content = opened.read(MAX_FILE + 1)
    except OSError as error:
        raise DamagedError(f"cannot be read ({error.strerror})") from None
    if len(content) > MAX_FILE:
        raise DamagedError(f"is larger than {MAX_FILE // 2**20} MiB")
    return content


def _check(network: Playground) -> None:
    """Check sizes and places.

    Raises:
        DamagedError: naming the field.
    """
    sees, images = network.input, network.images
    numbers = sees.channels * sees.height * sees.width
    if numbers > MAX_IMAGE:
        raise DamagedError(f"input: has {numbers:,} numbers, at most {MAX_IMAGE:,} are allowed")
    if not len(sees.mean) == len(sees.std) == sees.channels:
        raise DamagedError(f"input: mean and std should have {sees.channels} numbers, one for each channel")
    if not all(map(math.isfinite, (*sees.mean, *sees.std))) or min(sees.std) <= 0:
        raise DamagedError("input: mean and std should be finite, and std above 0")
    if len(images.data) != len(images.label) * numbers:
        raise DamagedError(f"images: {len(images.label)} of {numbers:,} bytes are {len(images.data):,} bytes")
    if len(network.weights) > MAX_WEIGHTS:
        raise DamagedError(f"weights: have {len(network.weights):,} bytes, at most {MAX_WEIGHTS:,} are allowed")
    for layer in network.layers:
        if any(not math.isfinite(array.scale) or array.scale <= 0 for array in layer.arrays):
            raise DamagedError(f"{layer.name}: a scale should be a finite number above 0")
        if any(array.end > len(network.weights) for array in layer.arrays):
            raise DamagedError(f"{layer.name}: an array ends beyond the {len(network.weights):,} bytes of the weights")
    if sum(array.size for layer in network.layers for array in layer.arrays) > len(network.weights):
        raise DamagedError("weights: the arrays overlap")  # so that a small file does not become large in memory
