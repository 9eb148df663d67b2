"""What happens after the last run of a sweep."""

import sys
from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from convexp import console
from convexp.reporting.summary import show, summarise, write


class SweepSummary(Callback):
    """Prints the table, writes it, says where everything lies; exit code 1 (2 for wrong settings) if a run failed."""

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Called by Hydra once all runs have been started and ended."""
        root = Path(config.hydra.sweep.dir)
        summary = summarise(root)
        write(summary, root)
        show(summary)
        console.out.print(f"results: {root}/ (summary.md, summary.csv, summary.png, a folder per run)")
        console.out.print(f"look at them: {console.tensorboard(str(root))}")
        failed = [run for run in summary.unfinished if run.get("state") == "failed"]
        if failed:
            sys.exit(2 if all(run.get("mendable") for run in failed) else 1)
