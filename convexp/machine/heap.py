"""Memory that a training frees and asks for again in every step."""

import ctypes
import os
from contextlib import suppress

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3  # of malloc.h
KEPT = 1 << 28
"""Most bytes that are free at the end of the heap and not given back."""
LARGE = 1 << 25
"""Bytes from which on a tensor has pages of its own, which are given back at once."""


def keep_freed() -> None:
    """Have the C library keep memory that is freed, within limits, as it takes time to map and clear it anew (glibc alone).

    A user who has set one of its variables, ``MALLOC_...``, has decided otherwise.
    """
    if any(name.startswith("MALLOC_") for name in os.environ):
        return
    with suppress(OSError, AttributeError):  # another C library
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(MMAP_THRESHOLD, LARGE)
        mallopt(TRIM_THRESHOLD, KEPT)
