"""What the page says of a search."""

from typing import Any

from convexp.records.search import SearchRecord, SearchTrial
from convexp.reporting.formatting import format_mean, short_setting
from convexp.reporting.metrics import is_percentage, metric_title
from convexp.reporting.render.html.table import Cell, Column, Table
from convexp.reporting.search import (
    best_command,
    best_sentence,
    choice_note,
    failures,
    param_text,
    search_sentences,
    trial_mean,
)

MAX_ROWS = 50  # trials in the table
MAX_FAILURES = 5


def search_content(search: SearchRecord) -> dict[str, Any]:
    """Return the sentences, the table of the best trials, the failures, and the command that repeats the best trial."""
    return {
        "sentences": search_sentences(search),
        "best": best_sentence(search),
        "note": choice_note(search),
        "table": trials_table(search) if search.complete else None,
        "failures": failures(search, MAX_FAILURES),
        "command": best_command(search),
    }


def trials_table(search: SearchRecord) -> Table:
    """Return a row for each of the best trials, the best first."""
    title = metric_title(search.metric)
    columns = [
        Column("trial", "number of the trial, in the order in which they were begun"),
        *(Column(short_setting(key), key) for key in search.space),
        Column(title, f"{title} ({search.metric}){', per cent' if is_percentage(search.metric) else ''}"),
        Column("n", "number of runs, one for each seed"),
    ]
    shown = search.ranked[:MAX_ROWS]
    count = "" if len(shown) == len(search.complete) else f"The best {len(shown)} of {len(search.complete):,}. "
    caption = f"Trials, the best first. {count}Mean and 95 % interval over n seeds."
    return Table("trials", caption, columns, [_row(search, trial) for trial in shown], [])


def _row(search: SearchRecord, trial: SearchTrial) -> list[Cell]:
    value = trial_mean(search, trial)
    settings = [trial.params.get(key) for key in search.space]
    return [
        Cell(str(trial.number), str(trial.number)),
        *(Cell(param_text(v), v if isinstance(v, float | int) else param_text(v)) for v in settings),
        Cell(format_mean(value, search.metric), value.mean),
        Cell(str(len(trial.values)), len(trial.values)),
    ]
