"""Random draws that depend on a key alone, and not on what was drawn before."""

import hashlib

import torch
from torch import Tensor

from convexp.geometry import Size
from convexp.geometry.placement import Offsets, OneOf


def generator(*key: int | str) -> torch.Generator:
    """Return a new generator that is seeded by ``key``, as in ``generator(seed, epoch)``.

    The seed is a hash of the key: torch's CPU generator uses the lower 32 bits of a seed only, and sums of seeds would repeat.
    """
    digest = hashlib.sha256("/".join(map(str, key)).encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:4], "little"))


def draw_offsets(offsets: Offsets, n: int, *key: int | str) -> Size | Tensor:
    """Draw an offset for each of ``n`` images, ``(n, D)`` int64, or return the only one if the offset is fixed."""
    if isinstance(offsets, OneOf):
        if offsets.fixed:
            return offsets.offsets[0]
        choice = torch.randint(len(offsets.offsets), (n,), generator=generator(*key))
        return torch.tensor(offsets.offsets)[choice]
    ranges = zip(offsets.low, offsets.high, strict=True)
    source = generator(*key)
    return torch.stack([torch.randint(low, high + 1, (n,), generator=source) for low, high in ranges], 1)


def draw_order(pixels: int, seed: int) -> Tensor:
    """Draw the permutation of the pixels of all images, ``(pixels,)`` int64."""
    return torch.randperm(pixels, generator=generator(seed, "pixels"))
