"""Where the time goes, for those who ask; nothing at all for the others."""

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from pytorch_lightning.profilers import AdvancedProfiler, PassThroughProfiler, Profiler, SimpleProfiler

NOTHING = nullcontext()


class NoProfiler(PassThroughProfiler):
    """Lightning enters a profiler's context 70 times a step; its own that does nothing makes a new one each time."""

    def profile(self, action_name: str) -> AbstractContextManager[Any]:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The same empty context for every action."""
        return NOTHING


def make_profiler(kind: str | None, folder: Path) -> Profiler:
    """Lightning's profiler of that kind (simple, advanced), which reports into the run folder, or none."""
    if kind is None:
        return NoProfiler()
    return (SimpleProfiler if kind == "simple" else AdvancedProfiler)(dirpath=folder, filename="profile")
