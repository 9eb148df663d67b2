"""Profilers: where the time of a training goes."""

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from pytorch_lightning.profilers import AdvancedProfiler, PassThroughProfiler, Profiler, SimpleProfiler

NOTHING = nullcontext()


class NoProfiler(PassThroughProfiler):
    """Measures nothing, at the least cost.

    Lightning enters a profiler's context 70 times a step, and its own PassThroughProfiler makes a new context each time.
    """

    def profile(self, action_name: str) -> AbstractContextManager[Any]:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Return the same empty context for every action."""
        return NOTHING


def make_profiler(kind: str | None, folder: Path) -> Profiler:
    """Make a profiler.

    Args:
        kind: ``"simple"`` or ``"advanced"``, as Lightning names its profilers, or None for no profile.
        folder: Folder that the profile is written to.
    """
    if kind is None:
        return NoProfiler()
    return (SimpleProfiler if kind == "simple" else AdvancedProfiler)(dirpath=folder, filename="profile")
