"""Where the numbers of a report come from."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from convexp.records import Result
from convexp.records.settings import differing, flattened, shown, within

Values = list[tuple[str, list[str]]]  # a value as text, and the paths of the runs that have it
WHERE = ("name", "outputs", "resume", "study")  # says nothing of what was run
PACKAGES = ("convexp", "python", "torch", "torchvision", "pytorch-lightning", "hydra-core", "torchmetrics", "numpy")
MACHINE = ("cpu", "cores", "threads", "accelerator", "precision", "system")


@dataclass(frozen=True)
class Provenance:
    """What the runs of a report were made with.

    Attributes:
        settings: those that differ between runs: (setting, [(value as text, paths of the runs)]).
        common: those that all runs share, flattened, as text.
        environment: code, versions, hardware and data: (what, [(value as text, paths of the runs)]), those too that are equal.
        warnings: sentences: what is not alike that should be (``convexp.reporting.warnings``).
    """

    settings: list[tuple[str, Values]]
    common: dict[str, str]
    environment: list[tuple[str, Values]]
    warnings: list[str]


def provenance(runs: Sequence[Result], warnings: list[str]) -> Provenance:
    """Of all runs that have a configuration, whatever became of them."""
    runs = [run for run in runs if "config" in run]
    flat = flattened(runs)
    apart = differing(flat)
    settings = [(name, _values(runs, flat, name)) for name in apart if not within(name, WHERE)]
    one = flat[0] if flat else {}
    common = {name: shown(value) for name, value in one.items() if name not in {*apart} and not within(name, WHERE)}
    return Provenance(settings, common, environment(runs), warnings)


def _values(runs: Sequence[Result], flat: Sequence[dict[str, Any]], name: str) -> Values:
    texts = [shown(values[name]) if name in values else "not set" for values in flat]
    return by_value(runs, texts)


def by_value(runs: Sequence[Result], texts: Sequence[str | None]) -> Values:
    """The paths of the runs by text, in the order of their first; without the runs that have none."""
    found: dict[str, list[str]] = {}
    for run, text in zip(runs, texts, strict=True):
        if text is not None:
            found.setdefault(text, []).append(str(run["path"]))
    return list(found.items())


def environment(runs: Sequence[Result]) -> list[tuple[str, Values]]:
    """Code, versions, hardware and data of the runs."""
    places = {
        "git commit": ("git", "commit"),
        "uncommitted changes": ("git", "dirty"),
        **{name: ("versions", name) for name in PACKAGES},
        **{name: ("hardware", name) for name in MACHINE},
        "data checksum": ("data", "checksum"),
        "data split": ("data", "split"),
    }
    known: dict[int, dict[str, str | None]] = {}  # by section, as runs made on one machine share most of theirs
    found = [(what, by_value(runs, [_read(known, run, *place) for run in runs])) for what, place in places.items()]
    return [(what, values) for what, values in found if values]


def _read(known: dict[int, dict[str, str | None]], run: Result, section: str, name: str) -> str | None:
    texts = known.setdefault(id(run.get(section)), {})
    if name not in texts:
        texts[name] = text_of(run, section, name)
    return texts[name]


def text_of(run: Result, section: str, name: str) -> str | None:
    """What a run notes of its surroundings; None if it does not."""
    value = run.get(section, {}).get(name)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return None if value is None else shown(value)
