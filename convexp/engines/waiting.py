"""Which runs of a sweep an engine holds that works on when the sweep has ended."""

import shutil
from pathlib import Path

from convexp.engines.slurm.queue import held_runs
from convexp.errors import ConvexpError
from convexp.records.submissions import FILE


def waiting_runs(root: Path) -> dict[str, str]:
    """Where each run of the sweep in ``root`` is that waits or is done in an engine, such as ``waiting in slurm (job 123_4)``.

    Nothing is known where the engine does not answer.
    """
    if not (root / FILE).is_file() or shutil.which("squeue") is None:
        return {}
    try:
        held = held_runs(root)
    except ConvexpError:
        return {}
    return {run: f"{'waiting' if state.waits else 'running'} in slurm (job {job})" for run, (job, state) in held.items()}
