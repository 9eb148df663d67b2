"""Memory that a training frees and asks for again in every step."""

import ctypes
import os
from contextlib import suppress

TRIM_THRESHOLD, MMAP_MAX = -1, -4  # of malloc.h
KEPT = 1 << 30
"""Most bytes that are free at the end of the heap and not given back."""


def keep_freed() -> None:
    """Have the C library keep memory that is freed, within limits, as it takes time to map and clear it anew (glibc alone).

    A user who has set one of its variables, ``MALLOC_...``, has decided otherwise.
    """
    if any(name.startswith("MALLOC_") for name in os.environ):
        return
    with suppress(OSError, AttributeError):  # another C library
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(MMAP_MAX, 0)  # else what has 32 MiB or more is given back at once, whatever the thresholds are
        mallopt(TRIM_THRESHOLD, KEPT)
