"""In what two runs differ: a pure function of their records and curves."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict, replace

from convexp.records.identity import OUTSIDE_IDENTITY
from convexp.records.record import RunRecord
from convexp.records.settings import completed, display_value, flatten, last_line, printable, within
from convexp.reporting.difference.ends import CurveDifference, compare_curves, equal, read_curves
from convexp.terminal.words import plural

NOT_SET = "not set"
# Endings of metrics that depend on how busy the machine was.
TIMED = ("seconds_per_epoch", "_ms", "seconds", "peak_bytes")
NO_RESULT = ("name", "outputs", "resume", "study")  # settings that say where a run lies and what it belongs to


class Facts(Struct, frozen=True):
    """One of the two runs.

    Attributes:
        folder: Its folder.
        state: Its state.
        identity: Its identity; None if it failed before it could start.
        error: The last line of its error; None if there is none.
        taken_over: The folder that it was done in, if a sweep took it over.
    """

    folder: str
    state: str
    identity: str | None
    error: str | None
    taken_over: str | None


class ValueDifference(Struct, frozen=True):
    """Something that has another value in each of two runs.

    Attributes:
        name: What it is.
        a: Its value in the first run as text, ``not set`` if that does not have it.
        b: Likewise of the second run.
        matters: Whether it can change a result.
    """

    name: str
    a: str
    b: str
    matters: bool = True


class MetricDifference(Struct, frozen=True):
    """A metric of two runs that is not the same.

    Attributes:
        metric: Its name.
        a: Its value in the first run; None if that does not have it.
        b: Likewise of the second run.
        difference: The second less the first; None if either is missing.
        timed: Whether it depends on how busy the machine was.
    """

    metric: str
    a: float | None
    b: float | None
    difference: float | None
    timed: bool = False


class Difference(Struct, frozen=True, kw_only=True):
    """In what two runs differ, and what that did to their results.

    Attributes:
        a: The first run.
        b: The second run.
        settings: Settings that differ.
        environment: What differs in data, code, versions and hardware, by these titles.
        network: What differs in the network: parameters, FLOPs, width and layers.
        metrics: Metrics that differ.
        equal_metrics: How many are equal to the bit, times not counted.
        curves: What the training logged by epoch, whether or not it differs.
        seconds: How long the parts took in each run.
        summary: All that in a sentence.
    """

    a: Facts
    b: Facts
    settings: list[ValueDifference]
    environment: dict[str, list[ValueDifference]]
    network: list[ValueDifference]
    metrics: list[MetricDifference]
    equal_metrics: int
    curves: list[CurveDifference]
    seconds: list[ValueDifference]
    summary: str

    @property
    def results_differ(self) -> bool:
        """Whether a metric differs that does not depend on how busy the machine was."""
        return any(not metric.timed for metric in self.metrics)


def compare_runs(a: RunRecord, b: RunRecord, folders: tuple[Path, Path]) -> Difference:
    """Compare two runs.

    Args:
        a: The record of the first.
        b: The record of the second.
        folders: Their folders, whose curves are read.
    """
    found = Difference(
        summary="",
        a=_facts(a, folders[0]),
        b=_facts(b, folders[1]),
        settings=_settings(a, b),
        environment={
            "data": _values(_data(a), _data(b)),
            "code": _values(asdict(a.git), asdict(b.git)),
            "versions": _values(a.versions, b.versions),
            "hardware": _values(_fields(a.hardware), _fields(b.hardware)),
        },
        network=_values(_network(a), _network(b)),
        metrics=_metrics(a, b),
        equal_metrics=sum(_is_equal(a, b, name) for name in a.metrics if not _is_timed(name)),
        curves=compare_curves(read_curves(folders[0]), read_curves(folders[1])),
        seconds=_values(asdict(a.seconds), asdict(b.seconds)),
    )
    return replace(found, summary=summary(found))


def summary(found: Difference) -> str:
    """Return in a sentence what differs, and whether the results do."""
    matter = [setting.name for setting in found.settings if setting.matters]
    same = "same settings" if not matter else "same settings but the seed" if matter == ["seed"] else ""
    verb = "differs" if len(matter) == 1 else "differ"
    settings = same or f"{plural(len(matter), 'setting')} that can change a result {verb}"
    others = [title for title, values in found.environment.items() if values]
    where = f", other {', '.join(others)}" if others else ""
    if not (found.equal_metrics or found.metrics):
        return f"{settings}{where}; there are no metrics to compare"
    if found.results_differ or not all(curve.is_equal for curve in found.curves if curve.is_in_both):
        return f"{settings}{where}, other results"
    missing = ", training curves of one run are missing" if not all(curve.is_in_both for curve in found.curves) else ""
    return f"{settings}{where}, same bits{missing}"


def _facts(run: RunRecord, folder: Path) -> Facts:
    origin = printable(run.taken_over.folder) if run.taken_over else None
    identity = printable(run.identity) if run.identity else None
    return Facts(printable(str(folder)), run.state.value, identity, last_line(run.error), origin)


def _settings(a: RunRecord, b: RunRecord) -> list[ValueDifference]:
    first, second = (completed(flatten(run.config or {})) for run in (a, b))
    outside = (*OUTSIDE_IDENTITY, *NO_RESULT)
    found = [_value(name, first, second, matters=not within(name, outside)) for name in {**first, **second}]
    differ = [each for each in found if each.a != each.b]
    return sorted(differ, key=lambda each: (each.name != "seed", not each.matters))


def _values(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[ValueDifference]:
    found = [_value(name, a, b) for name in {**a, **b}]
    return [each for each in found if each.a != each.b]


def _value(name: str, a: Mapping[str, Any], b: Mapping[str, Any], matters: bool = True) -> ValueDifference:
    first, second = (NOT_SET if each.get(name, NOT_SET) is NOT_SET else display_value(each[name]) for each in (a, b))
    return ValueDifference(printable(name), first, second, matters)


def _fields(section: Struct | None) -> dict[str, Any]:
    return {} if section is None else asdict(section)


def _data(run: RunRecord) -> dict[str, Any]:
    values = asdict(run.data)
    notes = values.pop("notes")
    return values | (flatten(notes, "notes") if notes else {"notes": None})


def _network(run: RunRecord) -> dict[str, Any]:
    network = run.network
    if network is None:
        return {}
    layers = {
        f"layer {layer.name}": f"{layer.kind}, {layer.parameters:,} parameters, output {list(layer.output_shape)}"
        for layer in network.layers
    }
    return {
        "parameters": f"{network.tested_parameters:,}",
        "FLOPs": f"{network.tested_flops:,}",
        "width": network.width,
    } | layers


def _metrics(a: RunRecord, b: RunRecord) -> list[MetricDifference]:
    found: list[MetricDifference] = []
    for name in {**a.metrics, **b.metrics}:
        if not _is_equal(a, b, name):
            first, second = a.metrics.get(name), b.metrics.get(name)
            difference = None if first is None or second is None else second - first
            found.append(MetricDifference(printable(name), first, second, difference, _is_timed(name)))
    return found


def _is_equal(a: RunRecord, b: RunRecord, name: str) -> bool:
    first, second = a.metrics.get(name), b.metrics.get(name)
    return first is not None and second is not None and equal(first, second)


def _is_timed(name: str) -> bool:
    return name.endswith(TIMED)
