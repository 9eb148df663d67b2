"""Triton, where it is installed and new enough, and how a function becomes a kernel."""

import importlib
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

triton: Any
tl: Any
try:
    triton, tl = importlib.import_module("triton"), importlib.import_module("triton.language")
except ImportError:  # no builds for macOS and Windows
    triton, tl = None, None

FIRST_VERSION = (3, 4)  # earlier versions of Triton know no fields of a constant
AVAILABLE: bool = triton is not None and tuple(int(part) for part in triton.__version__.split(".")[:2]) >= FIRST_VERSION
"""Whether Triton is installed in a version that compiles the kernels."""
INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"
"""Whether Triton runs the kernels in Python, on the CPU, as tests do."""

if TYPE_CHECKING:
    tensor = Any
    constexpr = Any
else:  # the compiler reads annotations and knows only its own
    tensor, constexpr = (tl.tensor, tl.constexpr) if AVAILABLE else (object, object)


def jit(function: Callable[..., Any]) -> Any:
    """Return ``function`` for Triton to compile; without Triton, ``function`` itself."""
    return triton.jit(function) if AVAILABLE else function
