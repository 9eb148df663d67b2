"""Where a lesson runs: as a plain script, or in the kernel of a notebook."""

import sys


def in_notebook() -> bool:
    """Return whether this process is the kernel of a notebook, or another shell of IPython."""
    interactive = sys.modules.get("IPython")
    return interactive is not None and interactive.get_ipython() is not None
