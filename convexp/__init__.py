"""convexp: what do locality and weight sharing buy? (see README.md).

``convexp.train`` and ``convexp.sweep`` do in Python what the command ``convexp-train`` does (docs/python.md).
"""

import random
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from convexp.scripting import sweep, train

__version__ = "0.1.0"
__all__ = ["__version__", "sweep", "train"]


def __getattr__(name: str) -> Any:
    """Import ``train`` and ``sweep`` when they are first used: ``import convexp`` alone stays cheap."""
    if name not in ("sweep", "train"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    state = random.getstate()
    try:
        return getattr(import_module("convexp.scripting"), name)
    finally:  # a package that is imported for the first time may draw a random number, as rich does
        random.setstate(state)
