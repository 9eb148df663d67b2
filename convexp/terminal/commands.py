"""Commands of this program, as a user can type them."""

import shlex
import shutil
import sys
from pathlib import Path

from convexp.terminal.console import display_path


def dashboard_command(folder: str) -> str:
    """The command that shows ``folder`` in TensorBoard, as it can be typed in the working directory."""
    ours = Path(sys.executable).parent / "convexp-dashboard"
    found = shutil.which("convexp-dashboard")
    program = "convexp-dashboard" if found is not None and Path(found) == ours else display_path(ours)
    return f"{program} {shlex.quote(folder)}"
