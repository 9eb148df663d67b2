"""``convexp.train`` and ``convexp.sweep``: what ``convexp-train`` does, from a script, a notebook or another application.

Both leave the process that calls them as they find it (``convexp.scripting.caller``). Torch is imported once the settings are
known to be right.
"""

from convexp.scripting.many_runs import sweep
from convexp.scripting.one_run import train

__all__ = ["sweep", "train"]
