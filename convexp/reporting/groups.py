"""Runs that differ in nothing but the seed, together."""

from collections.abc import Sequence
from dataclasses import dataclass

from convexp.records import Result
from convexp.records.plan import Plan, PlannedRun, settings_of, spread
from convexp.records.settings import Settings, flatten, kinds, lookup
from convexp.reporting.formatting import is_bounded
from convexp.reporting.labels import Point, distinct, label, point_of, telling_apart
from convexp.reporting.statistics import Mean, mean, share

__all__ = ["Group", "flatten", "group", "once"]


@dataclass(frozen=True)
class Group:
    """Finished runs of one configuration, by ascending seed.

    Attributes:
        label: the model's name and the settings by which it differs from the others, their first component dropped:
            ``local shift.train=0.2``.
        point: its values on the axes, the seed left out: ``{"model": "local", "data.shift.train": 0.2}``.
        runs: one for each seed.
    """

    label: str
    point: Point
    runs: list[Result]

    @property
    def n(self) -> int:
        """How many runs."""
        return len(self.runs)

    @property
    def parameters(self) -> int:
        """Parameters of the network."""
        return int(self.runs[0]["network"]["parameters"])

    @property
    def flops(self) -> int:
        """Floating point operations of one forward pass of one image."""
        return int(self.runs[0]["network"]["flops"])

    def metric(self, name: str) -> Mean | None:
        """Mean over the runs that have this metric; None if none has."""
        values = [run["metrics"][name] for run in self.runs if run["metrics"].get(name) is not None]
        average = share if is_bounded(name) else mean
        return average(values) if values else None


def once(runs: Sequence[Result], plan: Plan | None = None) -> tuple[list[Result], list[tuple[Result, Result]]]:
    """The runs without those made twice, and each of those with the one that counts instead.

    Of runs of the same configuration and seed the planned one counts, or the one that was started first.
    """
    planned = {run.folder for run in plan.runs} if plan else set()
    order = sorted(range(len(runs)), key=lambda i: (runs[i].get("path") not in planned, runs[i].get("started", ""), i))
    own = kinds(runs)
    first: dict[tuple[int, int], int] = {}
    for index in order:
        first.setdefault((id(own[index]), runs[index]["seed"]), index)
    counts = [first[(id(own[index]), run["seed"])] for index, run in enumerate(runs)]
    kept = [run for index, run in enumerate(runs) if counts[index] == index]
    return kept, [(run, runs[counts[index]]) for index, run in enumerate(runs) if counts[index] != index]


def group(runs: Sequence[Result], plan: Plan | None = None) -> list[Group]:
    """Finished runs by configuration, each counted once: in the order of the plan's grid, the others as they were started."""
    counted, _ = once([run for run in runs if run.get("state") == "finished"], plan)
    place = {run.folder: index for index, run in enumerate(plan.runs)} if plan else {}
    counted.sort(key=lambda run: (place.get(str(run.get("path")), len(place)), run.get("started", "")))
    members: dict[int, list[Result]] = {}
    each = kinds(counted)
    own = list({id(kind): kind for kind in each}.values())
    for run, kind in zip(counted, each, strict=True):
        members.setdefault(id(kind), []).append(run)
    found = list(members.values())
    points = _planned_points(found, plan) if plan else _own_points(own)
    labels = distinct(_labels(found, points), own)
    by_seed = [sorted(runs, key=lambda run: run["seed"]) for runs in found]
    return [Group(*parts) for parts in zip(labels, points, by_seed, strict=True)]


def _own_points(own: list[Settings]) -> list[Point]:
    """From the settings that differ."""
    settings = telling_apart(own)
    return [point_of(kind, settings) for kind in own]


def _planned_points(found: list[list[Result]], plan: Plan) -> list[Point]:
    """On the axes of the plan: of a planned run as it says, of others as their configuration does."""
    axes = [axis for axis in plan.axes if "seed" not in settings_of(axis)]
    planned = {run.folder: run for run in plan.runs}
    return [_planned_point(runs[0], planned.get(str(runs[0].get("path"))), axes) for runs in found]


def _planned_point(run: Result, planned: PlannedRun | None, axes: Sequence[str]) -> Point:
    """A run of one grid of several may have no value on an axis of another."""
    if planned is not None and planned.identity == run.get("identity"):
        return {axis: planned.point[axis] for axis in axes if axis in planned.point}
    return {axis: _value(run, axis) for axis in axes}


def _value(run: Result, axis: str) -> object:
    values = [lookup(run["config"], setting) for setting in settings_of(axis)]
    return values[0] if len(values) == 1 else values


def _labels(found: list[list[Result]], points: list[Point]) -> list[str]:
    """The model and the axes on which it differs from others of that name."""
    models = [str(lookup(runs[0]["config"], "model")) for runs in found]
    # As telling_apart reads a configuration, so that settings that go with the model or the data are not repeated.
    flat = [{**spread(point), "model.name": model} for point, model in zip(points, models, strict=True)]
    settings = [s for s in telling_apart(flat) if s not in ("model", "model.name")]
    return [label(model, {s: at[s] for s in settings if s in at}) for model, at in zip(models, flat, strict=True)]
