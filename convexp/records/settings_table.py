"""The settings of many runs by setting, as most of their sections are equal: nothing is kept for each run and setting."""

from collections.abc import Sequence
from typing import Any

from convexp.records.record import RunRecord
from convexp.records.settings import Settings, completed, flatten


class _OfTheRun:
    """Stands for a value that is no section, and so may be another one in each run."""


OF_THE_RUN = _OfTheRun()


class SettingsTable:
    """The flattened settings of runs, with those that their versions did not have yet (``convexp.records.settings.completed``).

    Args:
        runs: The runs, of which those without a configuration have no settings. Equal sections should be one object.

    Attributes:
        names: All settings, in the order in which they first appear.
    """

    def __init__(self, runs: Sequence[RunRecord]) -> None:
        self._configs = [run.config or {} for run in runs]
        sections: dict[int, Settings] = {}
        kinds: dict[tuple[object, ...], Settings] = {}
        self._kinds: list[Settings] = []
        for config in self._configs:
            key = tuple((name, id(value)) if isinstance(value, dict) else name for name, value in config.items())
            if key not in kinds:
                kinds[key] = _kind(config, sections)
            self._kinds.append(kinds[key])
        self._distinct = list(kinds.values())
        self.names = list(dict.fromkeys(name for kind in self._distinct for name in kind))

    def column(self, name: str, default: Any = None) -> list[Any]:
        """Return the value that each run has for a setting, ``default`` for a run that does not have it."""
        values = [kind.get(name, default) for kind in self._kinds]
        if any(value is OF_THE_RUN for value in values):
            return [c[name] if v is OF_THE_RUN else v for v, c in zip(values, self._configs, strict=True)]
        return values

    def differing(self) -> list[str]:
        """Return the settings whose values are not the same in all runs with a configuration, ordered as ``names``."""
        return [name for name in self.names if self._differs(name)]

    def _differs(self, name: str) -> bool:
        kinds = [kind for kind in self._distinct if kind]
        values = [kind.get(name) for kind in kinds]
        if any(value is OF_THE_RUN for value in values):
            values = [value for value, config in zip(self.column(name), self._configs, strict=True) if config]
        before, first = values[0], repr(values[0])
        for value in values:
            if value is not before:
                if repr(value) != first:
                    return True
                before = value
        return False

    def settings(self, number: int) -> Settings:
        """Return all settings of one run."""
        config = self._configs[number]
        return {name: config[name] if value is OF_THE_RUN else value for name, value in self._kinds[number].items()}


def _kind(config: dict[str, Any], sections: dict[int, Settings]) -> Settings:
    """The flattened settings of a run, the values at the top that are no section left open."""
    flat: Settings = {}
    for name, value in config.items():
        if isinstance(value, dict):
            if id(value) not in sections:
                sections[id(value)] = flatten(value, name)
            flat |= sections[id(value)]
        else:
            flat[name] = OF_THE_RUN
    return completed(flat)
