"""What happens after the last run of a sweep."""

import sys
from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from convexp import console
from convexp.errors import ConvexpError
from convexp.reporting.summary import show, summarise, write
from convexp.runs import Result
from convexp.runs.result import take_refusals


class SweepSummary(Callback):
    """Prints the table, writes it, says where everything lies; exit code 1 (2 for wrong settings) if a run failed."""

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Called by Hydra before the first run: what an interrupted sweep refused is no news any more."""
        take_refusals(Path(config.hydra.sweep.dir))

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Called by Hydra once all runs have been started and ended."""
        root = Path(config.hydra.sweep.dir)
        refused = take_refusals(root)
        failed = summarise_sweep(root)
        for run, reason in refused:
            console.out.print(f"{run}: not run, {reason}", markup=False)
        if failed or refused:
            sys.exit(2 if all(run.get("mendable") for run in failed) else 1)


def summarise_sweep(root: Path) -> list[Result]:
    """Write and show the summary of ``root``; returns the runs that failed."""
    try:
        summary = summarise(root)
    except ConvexpError as error:  # every run was refused
        console.complain("convexp-train", str(error))
        return [{}]
    write(summary, root)
    show(summary)
    console.out.print(f"results: {root}/ (summary.md, summary.csv, summary.png, a folder per run)", markup=False)
    console.out.print(f"look at them: {console.tensorboard(str(root))}", markup=False)
    return [run for run in summary.unfinished if run.get("state") == "failed"]
