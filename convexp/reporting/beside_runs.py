"""The files beside the runs that a report reads: the plan of the sweep, what a search has found, ensembles.

None of them ends a report: what is wrong with one is said in a sentence, and the report goes on without it.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from msgspec import structs

from convexp.errors import ConvexpError
from convexp.records.ensembles import FILE as ENSEMBLE
from convexp.records.ensembles import FOLDER, EnsembleRecord, ensemble_folders, read_ensemble
from convexp.records.numbers import is_moderate
from convexp.records.plan import FILE as PLAN
from convexp.records.plan import Plan, read_plan
from convexp.records.search import FILE as SEARCH
from convexp.records.search import SearchRecord, read_search
from convexp.records.settings import printable
from convexp.reporting.groups import Group

T = TypeVar("T")


def plan_of(root: Path) -> tuple[Plan | None, list[str]]:
    """Return the plan of the sweep in ``root`` with printable texts, None if there is none, and warnings."""
    plan, warnings = _read(root, PLAN, read_plan, "the plan of the study", "the study started again writes it anew")
    if plan is None:
        return None, warnings
    texts = {key: text and printable(str(text)) for key, text in (("name", plan.name), ("question", plan.question))}
    return structs.replace(plan, **texts), warnings


def search_of(root: Path) -> tuple[SearchRecord | None, list[str]]:
    """Return what the search in ``root`` has found, None if there was none, and warnings."""
    return _read(root, SEARCH, read_search, "what the search has found", "the search started again writes it anew")


def ensembles_of(root: Path) -> tuple[list[EnsembleRecord], list[str]]:
    """Return the ensembles of the runs in ``root``, without numbers that are too large, and warnings."""
    found: list[EnsembleRecord] = []
    warnings: list[str] = []
    for folder in ensemble_folders(root):
        what = printable(f"the ensembles in {FOLDER}/{folder.name}")
        record, wrong = _read(folder, ENSEMBLE, read_ensemble, what, "convexp-eval with ensemble=true measures them again")
        warnings += wrong
        if record is not None:
            names = sorted({name for each in record.ensembles for name in each.metrics if not is_moderate(each.metrics[name])})
            warnings += (
                [f"{what} have metrics beyond 1e100, which are left out: {printable(', '.join(names))}"] if names else []
            )
            found.append(_moderate(record) if names else record)
    return found, warnings


def outgrown(records: Iterable[EnsembleRecord], groups: Sequence[Group]) -> list[str]:
    """Return a warning for each group of which some runs are in ensembles and others in none, as after it has grown."""
    members = {member.identity for record in records for member in record.runs}
    others = [(group, [str(run.seed) for run in group.runs if run.identity not in members]) for group in groups]
    return [
        f"no ensemble has the runs of {group.label} with seed {', '.join(seeds)}; "
        "convexp-eval with ensemble=true measures them again"
        for group, seeds in others
        if 0 < len(seeds) < group.n
    ]


def _read(root: Path, name: str, read: Callable[[Path], T | None], what: str, remedy: str) -> tuple[T | None, list[str]]:
    try:
        found = read(root)
    except ConvexpError as error:
        return None, [f"{what} cannot be read: {error}"]
    damaged = found is None and (root / name).exists()
    return found, [f"{what} cannot be read: {name} is damaged; {remedy}"] if damaged else []


def _moderate(record: EnsembleRecord) -> EnsembleRecord:
    """The ensembles without their numbers that are too large."""
    kept = [
        structs.replace(each, metrics={name: value for name, value in each.metrics.items() if is_moderate(value)})
        for each in record.ensembles
    ]
    return structs.replace(record, ensembles=kept)
