"""What speaks against comparing the runs of a report, in sentences."""

from collections.abc import Iterable, Sequence

from convexp.records import Result
from convexp.records.plan import Plan, settings_of
from convexp.records.settings import lookup, printable, shown, telling
from convexp.reporting.formatting import COLUMNS, plural
from convexp.reporting.provenance import Values, by_value, environment, text_of

ALIKE = ("git commit", "convexp", "torch", "numpy", "cpu", "threads", "accelerator")
NAMED = 4


def doubts(runs: Sequence[Result], twice: Iterable[tuple[Result, Result]], plan: Plan | None) -> list[str]:
    """Sentences on what is not alike among finished runs that should be.

    Args:
        runs: that count.
        twice: those that do not, each with the one of the same configuration and seed that does.
        plan: what it varies is meant to differ.
    """
    found = [*_images(runs), *_mixed(runs, plan), *_environment(runs), *_lacking(runs), *_too_large(runs), *_losses(runs)]
    return [*found, *_twice(list(twice))]


def named(paths: Sequence[str]) -> str:
    """The first few paths."""
    more = f" and {len(paths) - NAMED:,} more" if len(paths) > NAMED else ""
    return ", ".join(map(printable, paths[:NAMED])) + more


def _who(paths: Sequence[str], one: str, many: str) -> str:
    """``1 run has``, ``2 runs have``."""
    return f"{plural(len(paths), 'run')} {one if len(paths) == 1 else many}"


def _apart(values: Values, other: str, what: str = "") -> list[str]:
    """A sentence that names the runs that are not as most are, if there are any: with ``other`` things than the rest."""
    if len(values) < 2:
        return []
    most = max(values, key=lambda value: len(value[1]))
    others = [value for value in values if value is not most]
    paths = [path for _, those in others for path in those]
    texts = ", ".join(_brief(text) for text, _ in others[:NAMED]) + (", ..." if len(others) > NAMED else "")
    seen = f"{what}{texts}; the rest {_brief(most[0])}"
    return [f"{_who(paths, 'has', 'have')} {other} than the rest ({seen}): {named(paths)}"]


def _brief(text: str) -> str:
    """The beginning of a checksum or a commit."""
    return f"{text[:8]}…" if len(text) >= 16 and all(c in "0123456789abcdef" for c in text) else text


def _images(runs: Sequence[Result]) -> list[str]:
    """Runs of the same settings of the data should have seen the same images, split alike."""
    by_settings: dict[str, list[Result]] = {}
    known: dict[int, str] = {}
    for run in runs:
        data = run["config"].get("data")
        if id(data) not in known:
            known[id(data)] = repr(sorted((k, repr(v)) for k, v in telling({"data": data}).items()))
        by_settings.setdefault(known[id(data)], []).append(run)
    found: list[str] = []
    for alike in by_settings.values():
        images, splits = (by_value(alike, [text_of(run, "data", what) for run in alike]) for what in ("checksum", "split"))
        found += _apart(images, "other images", "data checksum ") or _apart(splits, "another split of the images")
    return found


def _mixed(runs: Sequence[Result], plan: Plan | None) -> list[str]:
    """Several data sets or numbers of classes in one table, unless the study varies them."""
    varied = {setting for axis in (plan.axes if plan else {}) for setting in settings_of(axis)}
    if any(setting == "data" or setting.startswith("data.source") for setting in varied):
        return []
    sentences: list[str] = []
    for setting, what in (("data", "data sets"), ("data.classes", "numbers of classes")):
        values = by_value(runs, [shown(lookup(run["config"], setting)) for run in runs])
        if len(values) > 1:
            texts = ", ".join(f"{text} ({plural(len(paths), 'run')})" for text, paths in values[: 2 * NAMED])
            sentences.append(f"runs of {len(values)} {what} stand in one table: {texts}")
    return sentences


def _environment(runs: Sequence[Result]) -> list[str]:
    found = dict(environment(runs))
    sentences = [sentence for what in ALIKE for sentence in _apart(found.get(what, []), f"another {what}")]
    dirty = dict(found.get("uncommitted changes", [])).get("yes", [])
    if dirty:
        sentences.append(
            f"{_who(dirty, 'comes', 'come')} from code with uncommitted changes, which no commit tells: {named(dirty)}"
        )
    return sentences


def _lacking(runs: Sequence[Result]) -> list[str]:
    """Runs without a number of the table that others have."""
    sentences: list[str] = []
    for metric in COLUMNS.values():
        without = [str(run["path"]) for run in runs if metric not in run["metrics"]]
        if 0 < len(without) < len(runs):
            sentences.append(f"{_who(without, 'has', 'have')} no {metric}, which others have: {named(without)}")
    return sentences


def _too_large(runs: Sequence[Result]) -> list[str]:
    """Metrics that no mean can be taken of, run by run."""
    found = [f"{run['path']} ({', '.join(run['too_large'][:NAMED])})" for run in runs if run.get("too_large")]
    if not found:
        return []
    return [f"{_who(found, 'has', 'have')} numbers beyond 1e100, which are left out: {named(found)}"]


def _losses(runs: Sequence[Result]) -> list[str]:
    """Runs whose losses are means over batches, of which the last, shorter one counts like the others: they say no ``loss``."""
    paths = [str(run["path"]) for run in runs if "loss" not in run and _has_short_batch(run)]
    if not paths:
        return []
    losses = "val/loss and test/loss that are means over batches, of which the last, shorter one counts like the others"
    return [f"{_who(paths, 'has', 'have')} {losses} (convexp-eval gives the means over samples): {named(paths)}"]


def _has_short_batch(run: Result) -> bool:
    size = lookup(run["config"], "data.eval_batch_size")
    parts = [lookup(run.get("data"), part) for part in ("val", "test")]
    return isinstance(size, int) and any(isinstance(n, int) and n > size and n % size for n in parts)


def _twice(twice: Sequence[tuple[Result, Result]]) -> list[str]:
    if not twice:
        return []
    pairs = [f"{run['path']} (as {counted['path']})" for run, counted in twice]
    return [f"{_who(pairs, 'has', 'have')} the settings and the seed of another one, which alone counts: {named(pairs)}"]
