"""Stops the trials of a batch that do worse than earlier ones, while the launcher is busy with their runs."""

import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import fmean

from optuna.trial import TrialState

from convexp.records.pruning import ask_to_stop, begin_pruning, end_pruning, reported_values
from convexp.studies.search.trials import Trials

SECONDS = 0.5  # between two looks


@contextmanager
def pruning(trials: Trials, root: Path, folders: Mapping[int, Sequence[str]]) -> Generator[None]:
    """A context in which trials are watched by a thread, and stopped as the pruner of the search decides.

    Which epoch a run is stopped after depends on when it is looked at.

    Args:
        trials: The trials in their storage.
        root: Folder of the sweep.
        folders: The folders of the runs of each trial, by its number.
    """
    if trials.pruner is None:
        yield
        return
    begin_pruning(root)
    over = threading.Event()
    thread = threading.Thread(target=_until(over, lambda: watch(trials, root, folders)), name="pruning", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        end_pruning(root)


def _until(over: threading.Event, look: Callable[[], None]) -> Callable[[], None]:
    def watch() -> None:
        while not over.wait(SECONDS):
            look()

    return watch


def watch(trials: Trials, root: Path, folders: Mapping[int, Sequence[str]]) -> None:
    """Look once: report the mean over seeds of each trial, and ask the runs of those to stop that the pruner drops."""
    for number, names in folders.items():
        means = mean_by_epoch([reported_values(root, name) for name in names])
        if means and trials.report(number, means) and trials.all()[number].state is TrialState.RUNNING:
            reason = f"as trial {number} did worse than others ({trials.settings.pruner})"
            for name in names:
                ask_to_stop(root, name, reason)


def mean_by_epoch(reports: Sequence[Mapping[int, float]]) -> dict[int, float]:
    """Return the mean, at each epoch, over those seeds that have reached it."""
    epochs = sorted({epoch for values in reports for epoch in values})
    return {epoch: fmean(values[epoch] for values in reports if epoch in values) for epoch in epochs}
