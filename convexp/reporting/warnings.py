"""Warnings about differences between runs that speak against comparing them, in sentences."""

import math
from collections.abc import Sequence

from convexp.records import RunRecord
from convexp.records.plan import Plan, settings_of
from convexp.records.repetitions import result_settings
from convexp.records.settings import display_value, lookup, printable
from convexp.reporting.metrics import COLUMNS
from convexp.reporting.provenance import PathsByValue, environment, environment_text, own_files, paths_by_value
from convexp.terminal.words import plural

# What should be the same in all runs, by its title in the environment.
EXPECTED_EQUAL = {
    "git commit": "a different git commit",
    "convexp": "a different version of convexp",
    "torch": "a different version of torch",
    "numpy": "a different version of numpy",
    "cpu": "a different CPU",
    "threads": "a different number of threads",
    "accelerator": "a different accelerator",
}
MAX_NAMED = 4  # runs or values listed in one sentence
DEVIATIONS = 3  # of a binomial distribution, within which guessing is taken to lie
HASH_LENGTH = 16  # digits from which on a hexadecimal text is taken for a hash


def find_warnings(runs: Sequence[RunRecord], duplicates: Sequence[tuple[RunRecord, RunRecord]], plan: Plan | None) -> list[str]:
    """Return a sentence for each difference between finished runs that should not exist, or that a reader has to know.

    Args:
        runs: Records of the runs that are counted.
        duplicates: Runs that are not counted, each with the run of the same configuration and seed that is.
        plan: Plan of the study; what it varies is meant to differ.
    """
    found = [*_data(runs), *_mixed(runs, plan), *_environment(runs), *_missing_metrics(runs), *_too_large(runs)]
    found += _at_chance(runs)
    return [*found, *_losses_over_batches(runs), *_duplicates(duplicates)]


def list_paths(paths: Sequence[str]) -> str:
    """Return the first few paths, and how many more there are."""
    more = f" and {len(paths) - MAX_NAMED:,} more" if len(paths) > MAX_NAMED else ""
    return ", ".join(map(printable, paths[:MAX_NAMED])) + more


def _runs(paths: Sequence[str], verb: str, plural_verb: str | None = None) -> str:
    """``1 run has``, ``2 runs have``."""
    return f"{plural(len(paths), 'run')} {verb if len(paths) == 1 or plural_verb is None else plural_verb}"


def _minority(values: PathsByValue, what: str, title: str = "") -> list[str]:
    """A sentence that names the runs whose value is not that of most runs, if there are any."""
    if len(values) < 2:
        return []
    majority = max(values, key=lambda value: len(value[1]))
    minority = [value for value in values if value is not majority]
    paths = [path for _, paths in minority for path in paths]
    texts = ", ".join(_abbreviate(text) for text, _ in minority[:MAX_NAMED]) + (", ..." if len(minority) > MAX_NAMED else "")
    detail = f"{title}{texts} instead of {_abbreviate(majority[0])}"
    return [f"{_runs(paths, 'used')} {what} than the others ({detail}): {list_paths(paths)}"]


def _abbreviate(text: str) -> str:
    """The beginning of a checksum or a commit; any other text whole."""
    is_hash = len(text) >= HASH_LENGTH and all(c in "0123456789abcdef" for c in text)
    return f"{text[:8]}…" if is_hash else text


def _data(runs: Sequence[RunRecord]) -> list[str]:
    """Runs with the same settings of the data should have used the same images and the same split."""
    by_settings: dict[str, list[RunRecord]] = {}
    known: dict[int, str] = {}  # settings of the data as text, by section
    for run in runs:
        data = (run.config or {}).get("data")
        if id(data) not in known:
            known[id(data)] = repr(sorted((k, repr(v)) for k, v in result_settings({"data": data}).items()))
        by_settings.setdefault(known[id(data)], []).append(run)
    found: list[str] = []
    for equal in by_settings.values():
        images, splits = (
            paths_by_value(equal, [environment_text(run, "data", key) for run in equal]) for key in ("checksum", "split")
        )
        found += _minority(images, "different images", "data checksum ") or _minority(splits, "a different split of the images")
    return found


def _mixed(runs: Sequence[RunRecord], plan: Plan | None) -> list[str]:
    """Several data sets or numbers of classes in one table, unless the study varies them."""
    varied = {setting for axis in (plan.axes if plan else {}) for setting in settings_of(axis)}
    if any(setting == "data" or setting.startswith("data.source") for setting in varied):
        return []
    sentences: list[str] = []
    for setting, what in (("data", "data sets"), ("data.classes", "numbers of classes")):
        values = paths_by_value(runs, [display_value(lookup(run.config, setting)) for run in runs])
        if len(values) > 1:
            texts = ", ".join(f"{text} ({plural(len(paths), 'run')})" for text, paths in values[: 2 * MAX_NAMED])
            sentences.append(f"the table mixes runs with {len(values)} {what}: {texts}")
    return sentences


def _environment(runs: Sequence[RunRecord]) -> list[str]:
    found = dict(environment(runs))
    expected = EXPECTED_EQUAL | {name: f"a different {name}" for name in own_files(runs)}
    sentences = [sentence for title, what in expected.items() for sentence in _minority(found.get(title, []), what)]
    dirty = dict(found.get("uncommitted changes", [])).get("yes", [])
    if dirty:
        what = "code with uncommitted changes, which the git commit does not record"
        sentences.append(f"{_runs(dirty, 'used')} {what}: {list_paths(dirty)}")
    return sentences


def _missing_metrics(runs: Sequence[RunRecord]) -> list[str]:
    """Runs without a metric of the table that other runs have."""
    sentences: list[str] = []
    for metric in COLUMNS.values():
        without = [run.path for run in runs if metric not in run.metrics]
        if 0 < len(without) < len(runs):
            sentences.append(f"{_runs(without, 'has', 'have')} no {metric}, which other runs have: {list_paths(without)}")
    return sentences


def _too_large(runs: Sequence[RunRecord]) -> list[str]:
    """Runs with metrics that are too large to be averaged."""
    found = [f"{run.path} ({', '.join(run.too_large[:MAX_NAMED])})" for run in runs if run.too_large]
    return [f"{_runs(found, 'has', 'have')} metrics beyond 1e100, which are left out: {list_paths(found)}"] if found else []


def _at_chance(runs: Sequence[RunRecord]) -> list[str]:
    """Runs whose test accuracy guessing reaches: a comparison with them compares nothing that was learned."""
    found: dict[int, list[str]] = {}
    for run in runs:
        classes = lookup(run.config, "data.classes")
        if isinstance(classes, int) and classes > 1 and _guessing_reaches(run, 1 / classes):
            found.setdefault(classes, []).append(run.path)
    return [
        f"{_runs(paths, 'is', 'are')} no better than guessing among {classes} classes (test accuracy of at most "
        f"{DEVIATIONS} standard deviations above {100 / classes:.3g}%): {list_paths(paths)}"
        for classes, paths in found.items()
    ]


def _guessing_reaches(run: RunRecord, chance: float) -> bool:
    accuracy, images = run.metrics.get("test/acc"), run.data.test
    if accuracy is None or not images:
        return False
    return accuracy <= chance + DEVIATIONS * math.sqrt(chance * (1 - chance) / images)


def _losses_over_batches(runs: Sequence[RunRecord]) -> list[str]:
    """Runs of earlier versions, whose records have no ``loss`` entry, averaged losses over batches instead of samples."""
    paths = [run.path for run in runs if run.loss is None and _has_short_batch(run)]
    if not paths:
        return []
    losses = "val/loss and test/loss as means over batches, in which the last, shorter batch weighs as much as any other"
    return [f"{_runs(paths, 'has', 'have')} {losses} (convexp-eval computes the means over samples): {list_paths(paths)}"]


def _has_short_batch(run: RunRecord) -> bool:
    size = lookup(run.config, "data.eval_batch_size")
    return isinstance(size, int) and any(n is not None and n > size and n % size for n in (run.data.val, run.data.test))


def _duplicates(duplicates: Sequence[tuple[RunRecord, RunRecord]]) -> list[str]:
    if not duplicates:
        return []
    pairs = [f"{run.path} (same as {counted.path})" for run, counted in duplicates]
    what = "the settings and the seed of another run and"
    return [f"{_runs(pairs, 'has', 'have')} {what} {'is' if len(pairs) == 1 else 'are'} not counted: {list_paths(pairs)}"]
