"""Groups of finished runs that differ in nothing but the seed."""

from collections.abc import Sequence
from dataclasses import dataclass

from convexp.records import RunRecord
from convexp.records.plan import Plan, PlannedRun, settings_of, single_settings
from convexp.records.record import NetworkRecord
from convexp.records.repetitions import seedless_configurations
from convexp.records.settings import Settings, lookup, says
from convexp.reporting.labels import Point, distinguishing_settings, label, needed_settings, point_of, unique_labels
from convexp.reporting.metrics import average_of
from convexp.reporting.statistics import Mean


@dataclass(frozen=True)
class Group:
    """Finished runs of one configuration, one per seed.

    Attributes:
        label: Name of the model and the settings by which the group differs from the others, each without its first component:
            ``local shift.train=0.2``.
        point: Values of the group on the axes of the study, without the seed: ``{"model": "local", "data.shift.train": 0.2}``.
        runs: Records of the runs, by ascending seed.
    """

    label: str
    point: Point
    runs: list[RunRecord]

    @property
    def n(self) -> int:
        """Number of runs."""
        return len(self.runs)

    @property
    def parameters(self) -> int:
        """Number of parameters of the network that was tested: of one that was relaxed, after that."""
        return self._network.tested_parameters

    @property
    def flops(self) -> int:
        """Floating point operations of one forward pass of one image, of the network that was tested."""
        return self._network.tested_flops

    @property
    def _network(self) -> NetworkRecord:
        network = self.runs[0].network
        assert network is not None  # a finished run has one
        return network

    def metric(self, name: str) -> Mean | None:
        """Return the mean over the runs that have this metric; None if none has it."""
        values = [run.metrics[name] for run in self.runs if name in run.metrics]
        return average_of(name)(values) if values else None


def drop_duplicates(
    runs: Sequence[RunRecord], plan: Plan | None = None
) -> tuple[list[RunRecord], list[tuple[RunRecord, RunRecord]]]:
    """Keep one of several runs of the same configuration and seed: the planned one, otherwise the one that started first.

    Returns:
        The runs that are kept, in the order given; and each run that is dropped, together with the one kept in its place.
    """
    planned = {run.folder for run in plan.runs} if plan else set()
    order = sorted(range(len(runs)), key=lambda i: (runs[i].path not in planned, runs[i].started or "", i))
    configurations = seedless_configurations(runs)
    keys = [(id(configuration), run.seed) for configuration, run in zip(configurations, runs, strict=True)]
    first: dict[tuple[int, int | None], int] = {}
    for index in order:
        first.setdefault(keys[index], index)
    unique = [run for index, run in enumerate(runs) if first[keys[index]] == index]
    return unique, [(run, runs[first[keys[index]]]) for index, run in enumerate(runs) if first[keys[index]] != index]


def group_runs(runs: Sequence[RunRecord], plan: Plan | None = None) -> list[Group]:
    """Group the finished runs by configuration, without duplicates.

    Args:
        runs: Records of runs; those that are not finished are ignored.
        plan: Plan of the study, if there is one: its groups come in the order of its grid. Others follow in the order in which
            they were started.
    """
    unique, _ = drop_duplicates([run for run in runs if run.is_finished], plan)
    position = {run.folder: index for index, run in enumerate(plan.runs)} if plan else {}
    unique.sort(key=lambda run: (position.get(run.path, len(position)), run.started or ""))
    members: dict[int, list[RunRecord]] = {}
    of_runs = seedless_configurations(unique)
    for run, configuration in zip(unique, of_runs, strict=True):
        members.setdefault(id(configuration), []).append(run)
    configurations = list({id(configuration): configuration for configuration in of_runs}.values())
    runs_by_group = list(members.values())
    points = _planned_points(runs_by_group, plan) if plan else _points_by_difference(configurations)
    labels = unique_labels(_labels(runs_by_group, points), configurations)
    points = _told_apart(points, configurations)
    by_seed = [sorted(runs, key=lambda run: run.seed or 0) for runs in runs_by_group]
    return [Group(*parts) for parts in zip(labels, points, by_seed, strict=True)]


def _told_apart(points: list[Point], configurations: list[Settings]) -> list[Point]:
    """The points, with further axes where configurations that differ are at the same one, as of runs of another command."""
    at: dict[str, list[Settings]] = {}
    for point, configuration in zip(points, configurations, strict=True):
        at.setdefault(repr(sorted(point.items())), []).append(configuration)
    further = dict.fromkeys(name for alike in at.values() if len(alike) > 1 for name in distinguishing_settings(alike))
    return [point_of(each, list(further)) | point for point, each in zip(points, configurations, strict=True)]


def _points_by_difference(configurations: list[Settings]) -> list[Point]:
    """The axes are the settings in which the groups differ."""
    settings = distinguishing_settings(configurations)
    return [point_of(configuration, settings) for configuration in configurations]


def _planned_points(runs_by_group: list[list[RunRecord]], plan: Plan) -> list[Point]:
    """The axes are those of the plan; a planned run has the values of the plan, any other those of its configuration."""
    axes = [axis for axis in plan.axes if "seed" not in settings_of(axis)]
    planned = {run.folder: run for run in plan.runs}
    return [_planned_point(runs[0], planned.get(runs[0].path), axes) for runs in runs_by_group]


def _planned_point(run: RunRecord, planned: PlannedRun | None, axes: Sequence[str]) -> Point:
    """A run of one grid has the value of its configuration on an axis of another, if that says it; a conv has no rank."""
    if planned is None or planned.identity != run.identity:
        return {axis: _value(run, axis) for axis in axes}
    of_plan = {axis: planned.point[axis] for axis in axes if axis in planned.point}
    known = [axis for axis in axes if axis in of_plan or all(says(run.config, setting) for setting in settings_of(axis))]
    return {axis: of_plan[axis] if axis in of_plan else _value(run, axis) for axis in known}


def _value(run: RunRecord, axis: str) -> object:
    values = [lookup(run.config, setting) for setting in settings_of(axis)]
    return values[0] if len(values) == 1 else values


def _labels(runs_by_group: list[list[RunRecord]], points: list[Point]) -> list[str]:
    """The model, and the axes on which it differs from other groups of that model."""
    models = [str(lookup(runs[0].config, "model")) for runs in runs_by_group]
    # ``model.name`` names the section, so that settings that the model or the data imply are not repeated.
    flat = [{**single_settings(point), "model.name": model} for point, model in zip(points, models, strict=True)]
    implied = {
        setting for axis in {axis for point in points for axis in point} for setting in _implied(settings_of(axis), flat)
    }
    settings = [s for s in distinguishing_settings(flat) if s not in ("model", "model.name", *implied)]
    return [label(model, {s: at[s] for s in settings if s in at}) for model, at in zip(models, flat, strict=True)]


def _implied(together: Sequence[str], configurations: list[Settings]) -> set[str]:
    """Settings of one axis whose values the ones before them on the axis imply, as a stride that changes with the readout."""
    return set(together) - set(needed_settings(together, configurations))
