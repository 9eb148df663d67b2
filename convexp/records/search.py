"""search.json: what a search has found so far, so that a report shows it without Optuna."""

from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta, Struct, field

from convexp.files.json_files import read_struct, write_struct
from convexp.records.numbers import is_moderate

FORMAT = 1
FILE = "search.json"
COMPLETE, FAILED, PRUNED, RUNNING = "complete", "failed", "pruned", "running"  # states of a trial


class SearchedSetting(Struct, frozen=True, kw_only=True):
    """The values of a setting that is searched: either ``choices``, or the numbers from ``low`` to ``high``.

    Attributes:
        choices: The values.
        low: The lower end.
        high: The upper end, which is included.
        step: The distance between two values; None if there are all numbers in between.
        log: Whether the scale is logarithmic.
    """

    choices: list[Any] | None = None
    low: float | None = None
    high: float | None = None
    step: float | None = None
    log: bool = False


class SearchTrial(Struct, frozen=True, kw_only=True):
    """A trial: one configuration, with a run for each seed.

    Attributes:
        number: Its number, from 0.
        state: ``complete``, ``failed``, ``pruned`` or ``running``, which is any trial that has no result yet.
        params: Its value of every setting that is searched.
        overrides: The same as on the command line.
        value: Mean of the metric over its seeds; None unless it is complete.
        values: The metric of each of its finished runs, by seed.
        reason: Why it failed or was pruned, in one line; None otherwise.
        folders: Names of the folders of its runs.
    """

    number: int
    state: str
    params: dict[str, Any]
    overrides: list[str] = field(default_factory=list[str])
    value: float | None = None
    values: dict[str, float] = field(default_factory=dict[str, float])
    reason: str | None = None
    folders: list[str] = field(default_factory=list[str])


class SearchRecord(Struct, frozen=True, kw_only=True):
    """A search.

    Attributes:
        metric: The metric that is optimised.
        direction: ``minimize`` or ``maximize``.
        sampler: What chooses the settings of a trial.
        sampler_seed: Its seed.
        n_trials: Number of trials that were asked for in all.
        seeds: The seeds of each trial, at least one.
        arguments: The arguments of the command that are the same for all trials, without those about the search.
        space: What is searched, by setting.
        importance: How much of the variation of the value each setting explains, adding up to 1; empty if that is not known.
        method: How the importance was found; None if it is not known.
        trials: The trials by number.
    """

    metric: str
    direction: str
    sampler: str
    sampler_seed: int
    n_trials: int
    seeds: Annotated[list[int], Meta(min_length=1)]
    arguments: list[str] = field(default_factory=list[str])
    space: dict[str, SearchedSetting]
    importance: dict[str, float] = field(default_factory=dict[str, float])
    method: str | None = None
    trials: list[SearchTrial] = field(default_factory=list[SearchTrial])

    @property
    def complete(self) -> list[SearchTrial]:
        """The trials that have a value that means can be taken of."""
        return [trial for trial in self.trials if is_moderate(trial.value)]

    @property
    def ranked(self) -> list[SearchTrial]:
        """The trials that have a value, the best first; of equal ones that which was first."""
        sign = -1 if self.direction == "maximize" else 1
        return sorted(self.complete, key=lambda trial: (sign * (trial.value or 0.0), trial.number))


def write_search(root: Path, search: SearchRecord) -> None:
    """Replace ``search.json`` in the folder of the sweep."""
    write_struct(root / FILE, search, FORMAT)


def read_search(root: Path) -> SearchRecord | None:
    """Read what a search has found; None if there was none in this folder, or the file is damaged.

    Raises:
        ConvexpError: If a newer version of convexp wrote it.
    """
    return read_struct(root / FILE, SearchRecord, FORMAT)
