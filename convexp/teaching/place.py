"""Where a lesson runs, and which it is: as a plain script, or in the kernel of a notebook."""

import os
import re
import sys
from pathlib import Path

LESSON = "CONVEXP_LESSON"  # by which convexp-lessons tells a kernel the name of its lesson
JUPYTER = "JPY_SESSION_NAME"  # by which JupyterLab tells a kernel the path of its notebook


def in_notebook() -> bool:
    """Return whether this process is the kernel of a notebook, or another shell of IPython."""
    interactive = sys.modules.get("IPython")
    return interactive is not None and interactive.get_ipython() is not None


def lesson_name() -> str:
    """Return the name of the lesson that runs, of letters, digits and underscores; ``picture`` if it is not known.

    Pictures are named after it, so that two lessons in one page have no ids in common.
    """
    if in_notebook():
        file = os.environ.get(LESSON) or os.environ.get(JUPYTER)
    else:
        file = getattr(sys.modules.get("__main__"), "__file__", None)
    return re.sub(r"\W+", "_", Path(file).stem) if file else "picture"
