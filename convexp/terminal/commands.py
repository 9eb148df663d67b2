"""Commands of other programs, as a user can type them."""

import shlex
import shutil
import sys
from pathlib import Path

from convexp.terminal.console import display_path


def tensorboard_command(logdir: str) -> str:
    """The command that shows ``logdir`` in the TensorBoard of this environment, as it can be typed in the working directory."""
    ours = Path(sys.executable).parent / "tensorboard"
    found = shutil.which("tensorboard")
    program = "tensorboard" if found is not None and Path(found) == ours else display_path(ours)
    return f"{program} --logdir {shlex.quote(logdir)}"
