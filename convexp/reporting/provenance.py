"""Provenance of the numbers in a report: settings, code, software, hardware and data of the runs."""

from collections.abc import Sequence
from dataclasses import dataclass

from convexp.machine.own_code import ENDING
from convexp.records import RunRecord
from convexp.records.settings import display_value, within
from convexp.records.settings_table import SettingsTable

NOT_SET = object()
PathsByValue = list[tuple[str, list[str]]]  # a value as text, and the paths of the runs that have it
NO_PROVENANCE = ("name", "outputs", "resume", "study")  # sections that say nothing about what was run
PACKAGES = ("convexp", "python", "torch", "torchvision", "pytorch-lightning", "hydra-core", "torchmetrics", "numpy")
MACHINE = ("cpu", "cores", "threads", "accelerator", "precision", "system")
# Where a run's record has what the report lists: section and key, by title.
ENVIRONMENT = {
    "git commit": ("git", "commit"),
    "uncommitted changes": ("git", "dirty"),
    **{name: ("versions", name) for name in PACKAGES},
    **{name: ("hardware", name) for name in MACHINE},
    "data checksum": ("data", "checksum"),
    "data split": ("data", "split"),
    "taken over from": ("taken_over", "sweep"),
}


@dataclass(frozen=True)
class Provenance:
    """Settings and environment of the runs in a report.

    Attributes:
        settings: Settings that differ between runs. Each comes with its values and, for each value, the paths of the runs.
        common: Settings that all runs share, flattened, with their values as text.
        environment: Code, software versions, hardware and data, whether or not they differ, in the form of ``settings``.
        warnings: Sentences about differences that speak against comparing the runs (``convexp.reporting.warnings``).
    """

    settings: list[tuple[str, PathsByValue]]
    common: dict[str, str]
    environment: list[tuple[str, PathsByValue]]
    warnings: list[str]


def provenance(runs: Sequence[RunRecord], warnings: list[str]) -> Provenance:
    """Collect the provenance of all runs that have a configuration, finished or not."""
    runs = [run for run in runs if run.config is not None]
    table = SettingsTable(runs)
    names = table.differing()
    settings = [(name, _setting_values(runs, table, name)) for name in names if not within(name, NO_PROVENANCE)]
    first = table.settings(0) if runs else {}
    common = {k: display_value(value) for k, value in first.items() if k not in {*names} and not within(k, NO_PROVENANCE)}
    return Provenance(settings, common, environment(runs), warnings)


def _setting_values(runs: Sequence[RunRecord], table: SettingsTable, name: str) -> PathsByValue:
    values = table.column(name, default=NOT_SET)
    return paths_by_value(runs, ["not set" if value is NOT_SET else display_value(value) for value in values])


def paths_by_value(runs: Sequence[RunRecord], texts: Sequence[str | None]) -> PathsByValue:
    """Return the paths of the runs by value, in the order of first occurrence; runs with None are left out."""
    found: dict[str, list[str]] = {}
    for run, text in zip(runs, texts, strict=True):
        if text is not None:
            found.setdefault(text, []).append(run.path)
    return list(found.items())


def environment(runs: Sequence[RunRecord]) -> list[tuple[str, PathsByValue]]:
    """Return code, software versions, hardware and data of the runs, with the paths by value.

    What is of the user's own stands under the names of its files, last.
    """
    known: dict[int, dict[str, str | None]] = {}  # by section, because runs on one machine share most of their sections
    found = [
        (title, paths_by_value(runs, [_cached_text(known, run, section, key) for run in runs]))
        for title, (section, key) in (ENVIRONMENT | {name: ("versions", name) for name in own_files(runs)}).items()
    ]
    return [(title, values) for title, values in found if values]


def own_files(runs: Sequence[RunRecord]) -> list[str]:
    """Return the names of the files of the user's own that runs have used."""
    known = {id(run.versions): run.versions for run in runs}  # runs on one machine share them
    return sorted({name for versions in known.values() for name in versions if name.endswith(ENDING)})


def _cached_text(known: dict[int, dict[str, str | None]], run: RunRecord, section: str, key: str) -> str | None:
    texts = known.setdefault(id(getattr(run, section)), {})
    if key not in texts:
        texts[key] = environment_text(run, section, key)
    return texts[key]


def environment_text(run: RunRecord, section: str, key: str) -> str | None:
    """Return a value of the run's environment as text; None if the run did not record it."""
    found = getattr(run, section)
    value = found.get(key) if isinstance(found, dict) else getattr(found, key, None)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return None if value is None else display_value(value)
