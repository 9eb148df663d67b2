"""The report of a folder of runs: everything that the page, the tables and the terminal show."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from msgspec import structs

from convexp.errors import ConfigError
from convexp.records import RunRecord
from convexp.records.plan import Plan
from convexp.records.search import SearchRecord
from convexp.records.settings import display_value, lookup, printable
from convexp.records.values import same_value
from convexp.reporting.baselines import chosen_baseline
from convexp.reporting.beside_runs import ensembles_of, outgrown, plan_of, search_of
from convexp.reporting.claims import ClaimRow, read_claims
from convexp.reporting.compare import compare, compare_along
from convexp.reporting.comparison import Comparison
from convexp.reporting.error_tables import ErrorTable, error_tables
from convexp.reporting.groups import Group, drop_duplicates, group_runs
from convexp.reporting.joined import joined_comparisons, joined_groups, joined_labels
from convexp.reporting.parts import Part, gather, parts_of
from convexp.reporting.provenance import Provenance, provenance
from convexp.reporting.unfinished import Unfinished, unfinished
from convexp.reporting.warnings import find_warnings


@dataclass(frozen=True)
class Report:
    """Everything that the page, the tables and the terminal show.

    Attributes:
        title: Question of the study, or the name of the folder if there is no study.
        root: Folder of the runs.
        plan: Plan of the study; None if the folder has none.
        groups: Groups of finished runs.
        comparisons: Comparisons of the groups with their baselines.
        unfinished: Runs that are in no group, with the reasons.
        provenance: Settings and environment of all runs, and warnings.
        runs: Records of all runs, as they were read.
        search: What a search has found; None if the runs are of none.
        along: Comparisons along the numeric axes of the study.
        name: Name of the sweep, study or data set within a report that has several.
        parts: The reports of the sweeps, studies or data sets that this one consists of; empty if it is of one alone.
        claims: What papers claim of the studies, and what follows from the runs.
    """

    title: str
    root: Path
    plan: Plan | None
    groups: list[Group]
    comparisons: list[Comparison]
    unfinished: list[Unfinished]
    provenance: Provenance
    runs: list[RunRecord] = field(default_factory=list[RunRecord])
    search: SearchRecord | None = None
    along: list[Comparison] = field(default_factory=list[Comparison])
    name: str = ""
    parts: list["Report"] = field(default_factory=list["Report"])
    claims: list[ClaimRow] = field(default_factory=list[ClaimRow])

    @cached_property
    def errors(self) -> tuple[list[ErrorTable], list[str]]:
        """The errors of the groups and what cannot be shown of them, read once for the charts and the page."""
        return error_tables(self.groups, self.root)


def build_report(*roots: Path, title: str | None = None, baselines: Sequence[str] = ()) -> Report:
    """Read all runs below the folders and compare them.

    Args:
        roots: The folders.
        title: Title of the report, in the place of the question of the study.
        baselines: ``SETTING=VALUE`` each: what is compared with, in the place of what the study says.

    Raises:
        ConfigError: If there is no such folder, no run in it, or no such baseline.
    """
    root, runs = gather(roots)
    parts = parts_of(root, runs)
    refused: list[tuple[str, ConfigError]] = []
    found = [_report(part, baselines, refused) for part in parts]
    for text in dict.fromkeys(baselines):
        errors = [error for refused_text, error in refused if refused_text == text]
        if len(errors) >= len(parts):
            raise errors[0]
    whole = found[0] if len(found) == 1 else _joined(root, runs, found)
    return whole if title is None else replace(whole, title=printable(title))


def _joined(root: Path, runs: list[RunRecord], parts: list[Report]) -> Report:
    """The report of several parts."""
    groups, names = [part.groups for part in parts], [part.name for part in parts]
    labels = joined_labels(groups, names)
    lost = [replace(run, path=_path(root, part, run.path)) for part in parts for run in part.unfinished]
    warnings = [f"{part.name}: {warning}" for part in parts for warning in part.provenance.warnings]
    return Report(
        title=printable(root.resolve().name),
        root=root,
        plan=None,
        groups=joined_groups(groups, labels),
        comparisons=joined_comparisons([part.comparisons for part in parts], labels),
        unfinished=lost,
        provenance=provenance(runs, warnings),
        runs=runs,
        along=joined_comparisons([part.along for part in parts], labels),
        parts=parts,
        claims=[claim for part in parts for claim in part.claims],
    )


def _path(root: Path, part: Report, path: str) -> str:
    return os.path.relpath(part.root / path, root)


def _report(part: Part, baselines: Sequence[str], refused: list[tuple[str, ConfigError]]) -> Report:
    """The report of one part; baselines that it does not have are noted in ``refused``."""
    root, runs = part.folder, part.runs
    plan, plan_warnings = plan_of(root)
    search, search_warnings = search_of(root)
    counted, duplicates = drop_duplicates([run for run in runs if run.is_finished], plan)
    groups = group_runs(counted, plan)
    plan = _with_baselines(plan, groups, baselines, refused)
    ensembles, ensemble_warnings = ensembles_of(root)
    claims, claim_warnings = read_claims(plan, groups, ensembles) if plan else ([], [])
    warnings = [*plan_warnings, *search_warnings, *ensemble_warnings, *outgrown(ensembles, groups), *claim_warnings]
    warnings += [*find_warnings(counted, duplicates, plan), *_missing_baselines(groups, plan)]
    return Report(
        title=_title(part, plan),
        root=root,
        plan=plan,
        groups=groups,
        comparisons=[] if search else compare(groups, plan),  # trials have no baseline
        unfinished=unfinished(root, runs, plan),
        provenance=provenance(runs, warnings),
        runs=runs,
        search=search,
        along=[] if search else compare_along(groups, plan),
        name=part.name,
        claims=claims,
    )


def _with_baselines(
    plan: Plan | None, groups: list[Group], texts: Sequence[str], refused: list[tuple[str, ConfigError]]
) -> Plan | None:
    """The plan with the baselines of the user's choice; one that compares and nothing else where there was none."""
    chosen: dict[str, Any] = {}
    for text in texts:
        try:
            axis, value = chosen_baseline(groups, text)
            chosen[axis] = value
        except ConfigError as error:
            refused.append((text, error))
    if not chosen:
        return plan
    return structs.replace(plan, compare=chosen) if plan else Plan(None, None, {}, chosen)


def _missing_baselines(groups: list[Group], plan: Plan | None) -> list[str]:
    wanted = plan.compare if plan else {}
    return [
        f"there is no comparison with the baseline {axis}={display_value(value)}, because none of its runs is finished"
        for axis, value in wanted.items()
        if groups and not any(same_value(group.point.get(axis), value) for group in groups)
    ]


def _title(part: Part, plan: Plan | None) -> str:
    """The question of the study if all runs belong to one study; otherwise the name of the folder, or of the data set."""
    questions = {plan.question} if plan and plan.question else {lookup(run.config, "study.question") for run in part.runs}
    question = questions.pop() if len(questions) == 1 else None
    return printable(str(question or (plan and plan.name) or part.name))
