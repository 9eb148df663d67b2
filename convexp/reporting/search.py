"""What a search has found, as tables and sentences: a function of search.json alone."""

import shlex
from collections.abc import Sequence

from convexp.config.command_line.format import format_value
from convexp.records.numbers import is_moderate
from convexp.records.search import FAILED, PRUNED, SearchRecord, SearchTrial
from convexp.records.settings import display_value, printable
from convexp.reporting.formatting import format_mean, format_number, short_setting
from convexp.reporting.metrics import average_of, metric_title
from convexp.reporting.statistics import Mean
from convexp.terminal.words import plural

MAX_ROWS = 10  # of the table of the best trials
NO_VALUE = "no trial has ended with a value"


def trial_mean(search: SearchRecord, trial: SearchTrial) -> Mean:
    """Return the mean of a trial's metric over its seeds."""
    values = [value for value in trial.values.values() if is_moderate(value)] or [trial.value or 0.0]
    return average_of(search.metric)(values)


def param_text(value: object) -> str:
    """Return the value of a setting, numbers with four digits."""
    return format_number(value) if isinstance(value, float) else display_value(value)


def search_rows(search: SearchRecord, most: int = MAX_ROWS) -> list[list[str]]:
    """Return the header, and a row for each of the best trials, the best first."""
    header = ["trial", *map(short_setting, search.space), metric_title(search.metric), "n"]
    rows = [
        [
            str(trial.number),
            *(param_text(trial.params.get(key)) for key in search.space),
            format_mean(trial_mean(search, trial), search.metric),
            str(len(trial.values)),
        ]
        for trial in search.ranked[:most]
    ]
    return [header, *rows]


def search_sentences(search: SearchRecord) -> list[str]:
    """Return how far the search is, and what it optimises."""
    failed = sum(trial.state == FAILED for trial in search.trials)
    pruned = sum(trial.state == PRUNED for trial in search.trials)
    waiting = len(search.trials) - failed - pruned - len(search.complete)
    counts = [f"{len(search.complete)} complete", *([f"{failed} failed"] if failed else [])]
    counts += [f"{pruned} pruned"] if pruned else []
    counts += [f"{waiting} not ended"] if waiting else []
    seeds = f"mean over the seeds {', '.join(map(str, search.seeds))}" if len(search.seeds) > 1 else f"seed {search.seeds[0]}"
    return [
        f"{plural(len(search.trials), 'trial')} of {max(search.n_trials, len(search.trials)):,}: {', '.join(counts)}",
        f"{search.direction} {metric_title(search.metric)} ({search.metric}), {seeds}; "
        f"sampler {search.sampler}, seed {search.sampler_seed}",
    ]


def best_sentence(search: SearchRecord) -> str:
    """Return the best trial with its settings and its value."""
    if not search.ranked:
        return NO_VALUE
    best = search.ranked[0]
    settings = " ".join(f"{key}={param_text(value)}" for key, value in best.params.items())
    value = format_mean(trial_mean(search, best), search.metric)
    return printable(
        f"best trial: number {best.number}, {metric_title(search.metric)} {value}, n = {len(best.values)}: {settings}"
    )


def choice_note(search: SearchRecord) -> str | None:
    """Return what the choice of the best trial does to its numbers; None if there was no choice."""
    if len(search.complete) < 2 or search.metric.startswith("cost/"):
        return None
    chosen = f"As the best of {plural(len(search.complete), 'trial')} its {metric_title(search.metric)} is optimistic"
    if search.metric.startswith(("val/", "train/")):
        return f"{chosen}; the test images had no part in the choice."
    return f"{chosen}, as are its other numbers on the test images, which were used to choose it."


def failures(search: SearchRecord, most: int) -> list[str]:
    """Return the first trials that failed, with the reasons."""
    failed = [trial for trial in search.trials if trial.state == FAILED]
    lines = [printable(f"trial {trial.number} failed: {trial.reason or 'no reason recorded'}") for trial in failed[:most]]
    return [*lines, *([f"and {plural(len(failed) - most, 'more trial')}"] if len(failed) > most else [])]


def best_command(search: SearchRecord) -> str | None:
    """Return the command that repeats the best trial, all its seeds; None if there is none."""
    if not search.ranked:
        return None
    arguments = search.arguments if len(search.seeds) > 1 else [word for word in search.arguments if word != "-m"]
    words = [*arguments, *search.ranked[0].overrides, f"seed={_listed(search.seeds)}"]
    return printable(f"convexp-train {shlex.join(words)}")


def _listed(seeds: Sequence[int]) -> str:
    return ",".join(map(format_value, seeds))
