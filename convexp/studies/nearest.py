"""The run of a study that a configuration is nearest to, for commands that look at one of the runs without a sweep."""

from collections.abc import Callable, Collection
from typing import Any

from convexp.config.schema import Study
from convexp.records.values import same_value
from convexp.studies.overrides import parse_value
from convexp.studies.study import expand

Overrides = dict[str, str]  # setting: its value, formatted for Hydra's command line


def overrides_left(
    study: Study, value_of: Callable[[str], Any], given: Collection[str], matters: Callable[[str], bool]
) -> Overrides:
    """Return what has to be overridden, beside what is given, for a configuration to be that of a run of the study.

    It is empty if the configuration is a run's already. Otherwise it is the least that leads to a run, to one that has the
    given values if there is one.

    Args:
        study: The study.
        value_of: Returns the value of a setting in the configuration, or the option of a group.
        given: Settings that the user has chosen, which are left as they are.
        matters: Tells which settings count; runs that differ in others alone are the same.

    Raises:
        ConfigError: If the study contradicts itself.
    """

    def differing(settings: Overrides) -> Overrides:
        return {name: text for name, text in settings.items() if not same_value(parse_value(text), value_of(name))}

    runs = _runs(study, matters)
    chosen = [run for run in runs if not differing({name: text for name, text in run.items() if name in given})]
    left = [differing({name: text for name, text in run.items() if name not in given}) for run in chosen or runs]
    return min(left, key=len)


def _runs(study: Study, matters: Callable[[str], bool]) -> list[Overrides]:
    """The overrides that matter of every run, none twice."""
    found: dict[tuple[tuple[str, str], ...], None] = {}
    for point in expand(study, []).points:
        pairs = [(name.lstrip("+"), text) for axis, row in point for name, text in zip(axis.settings, row, strict=True)]
        found[tuple((name, text) for name, text in pairs if matters(name))] = None
    return [dict(run) for run in found]
