"""The answer of a search: its best trial."""

from convexp.records.search import SearchRecord
from convexp.records.settings import printable
from convexp.reporting.answer.wording import listed, number, seeds
from convexp.reporting.formatting import short_setting
from convexp.reporting.metrics import metric_title
from convexp.reporting.search import choice_note, param_text, trial_mean
from convexp.terminal.words import plural


def answer_of_search(search: SearchRecord) -> str:
    """Return what the best trial of a search reached, with which settings; it needs a trial that is complete."""
    best = search.ranked[0]
    settings = listed([f"{printable(short_setting(key))}={param_text(value)}" for key, value in best.params.items()])
    value = number(trial_mean(search, best).mean, search.metric)
    title = printable(metric_title(search.metric))
    what = f"{'an' if title[:1] in ('a', 'e', 'i', 'o', 'u') else 'a'} {title} of {value} ({seeds([len(best.values) or 1])})"
    note = choice_note(search)
    at = f" with {settings}" if settings else ""
    found = f"Of {plural(len(search.complete), 'finished trial')} the best, number {best.number}, has {what}{at}."
    return found + (f" {note}" if note else "")
