"""The values of configurations that differ in a few settings: what does not depend on these is resolved once for all."""

import re
from collections.abc import Iterator
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from convexp.config.load import resolve
from convexp.config.user_paths import SETTINGS
from convexp.errors import ConfigError

Changes = dict[str, Any]  # settings, dotted, with their values
Place = tuple[Any, ...]  # the keys that lead to a value

INTERPOLATION = re.compile(r"(\$\{[^{}$]*\})")
HYDRA = re.compile(r"\$\{\s*hydra\s*:")
RESOLVER = re.compile(r"\$\{\s*([\w.]+)\s*:")
REFERENCE = re.compile(r"\$\{\s*([A-Za-z_]\w*(?:\.\w+)*)\s*\}", re.ASCII)
ENVIRONMENT = re.compile(r"\$\{oc\.env:[^{}$]*\}")
SELECTION = re.compile(r"\$\{oc\.select:\s*([A-Za-z_]\w*(?:\.\w+)*)\s*(?:,[^{}$]*)?\}", re.ASCII)
REPEATABLE = ("oc.env", "oc.select", "hydra")  # resolvers that give the same as long as nothing that they read changes


class UnsuitableError(Exception):
    """The configurations cannot be made from a template: each has to be composed and resolved on its own."""


class Template:
    """Makes the values of configurations in which the same settings have other plain values.

    Args:
        base: The configuration without these values. It is not changed.
        changes: The settings, with the values of one of the configurations. Values are plain (``is_plain``).

    Attributes:
        asks_hydra: Whether a value depends on Hydra's own section, such as on the number of the job.

    Raises:
        UnsuitableError: If more depends on the settings than the template can see.
    """

    def __init__(self, base: DictConfig, changes: Changes) -> None:
        _check_settings(base, changes)
        self._work = base.copy()
        try:
            self._change(changes)
            unresolved = OmegaConf.to_container(self._work, resolve=False)
            self._values = resolve(self._work)
        except (OmegaConfBaseException, ConfigError) as error:
            raise UnsuitableError from error
        dependent = _dependent(dict(_interpolations(unresolved)), set(changes))
        if any(_related(_dotted(place), setting) for place in dependent for setting in (*SETTINGS, "pythonpath")):
            raise UnsuitableError  # it has been made absolute, once for all
        joined = {place: _joined(text, dependent) for place, text in dependent.items()}
        self._joined = {place: pieces for place, pieces in joined.items() if pieces is not None}
        self.asks_hydra = any(HYDRA.search(text) for text in dependent.values())
        self._resolved = [place for place, pieces in joined.items() if pieces is None]

    def values(self, changes: Changes) -> dict[Any, Any]:
        """The values that ``convexp.config.load.resolve`` returns for the configuration with these changes.

        Sections that no change reaches are the same objects every time.

        Raises:
            UnsuitableError: If they have to be resolved on their own, or if that would fail.
        """
        copy = _CopyOnWrite(self._values)
        for setting, value in changes.items():
            copy.set(tuple(setting.split(".")), value)
        try:
            for place, pieces in self._joined.items():
                copy.set(place, _join([copy.get(piece) if is_place else piece for piece, is_place in pieces]))
            if self._resolved:
                self._change(changes)
                for place in self._resolved:
                    copy.set(place, _resolved(self._work, place))
        except (OmegaConfBaseException, LookupError, TypeError) as error:
            raise UnsuitableError from error
        return copy.values

    def _change(self, changes: Changes) -> None:
        for setting, value in changes.items():
            OmegaConf.update(self._work, setting, value, merge=True)


class _CopyOnWrite:
    """A copy of nested mappings in which only those are copied that change."""

    def __init__(self, values: dict[Any, Any]) -> None:
        self.values = dict(values)
        self._copied: dict[Place, dict[Any, Any]] = {(): self.values}

    def get(self, place: Place) -> Any:
        value: Any = self.values
        for key in place:
            value = value[key]
        return value

    def set(self, place: Place, value: Any) -> None:
        self._section(place[:-1])[place[-1]] = value

    def _section(self, place: Place) -> dict[Any, Any]:
        if place not in self._copied:
            above = self._section(place[:-1])
            self._copied[place] = above[place[-1]] = dict(above[place[-1]])
        return self._copied[place]


def is_plain(value: Any) -> bool:
    """Whether a value stands for itself: a list of such values, or a single one that is no interpolation and not ``???``."""
    if isinstance(value, list):
        return all(map(is_plain, value))
    if isinstance(value, str):
        return "${" not in value and value != "???"
    return value is None or type(value) in (bool, int, float)


def _check_settings(base: DictConfig, changes: Changes) -> None:
    """Check that the settings are distinct, stand in sections as such, and are no paths, which are made absolute."""
    settings = list(changes)
    if any(_related(one, other) for i, one in enumerate(settings) for other in (*settings[:i], *SETTINGS, "pythonpath")):
        raise UnsuitableError
    plain = OmegaConf.to_container(base, resolve=False)
    for setting in settings:
        section: Any = plain
        for key in setting.split("."):
            if not isinstance(section, dict) or key not in section:
                raise UnsuitableError
            section = section[key]


def _interpolations(value: Any, place: Place = ()) -> Iterator[tuple[Place, str]]:
    """The places of values that have to be resolved, each with its text; a list that holds some is resolved as a whole."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _interpolations(item, (*place, key))
    elif isinstance(value, list):
        if texts := [text for item in value for _, text in _interpolations(item)]:
            yield place, " ".join(["${*}", *texts])
    elif isinstance(value, str) and "${" in value:
        yield place, value


def _dependent(texts: dict[Place, str], changed: set[str]) -> dict[Place, str]:
    """Those of the texts whose values depend on the changed settings, or may do so."""
    if any(name not in REPEATABLE for text in texts.values() for name in RESOLVER.findall(text)):
        raise UnsuitableError
    references = {place: _references(text) for place, text in texts.items()}
    found: set[Place] = set()
    while True:
        touched = changed | set(map(_dotted, found))
        more = {
            place
            for place, names in references.items()
            if place not in found and (names is None or any(_related(name, each) for name in names for each in touched))
        }
        if not more:
            return {place: text for place, text in texts.items() if place in found}
        found |= more


def _references(text: str) -> list[str] | None:
    """The settings that a text refers to; None if that cannot be told from the text alone."""
    names: list[str] = []
    for number, piece in enumerate(INTERPOLATION.split(text)):
        if number % 2 == 0:
            if "${" in piece or "\\" in piece:
                return None
        elif found := REFERENCE.fullmatch(piece) or SELECTION.fullmatch(piece):
            names.append(found[1])
        elif not ENVIRONMENT.fullmatch(piece):
            return None
    return names


def _joined(text: str, dependent: dict[Place, str]) -> list[tuple[Any, bool]] | None:
    """The pieces of a text that only joins values: each a text, or the place of a value. None if more is to be done."""
    pieces: list[tuple[Any, bool]] = []
    if _references(text) is None:
        return None
    for number, piece in enumerate(INTERPOLATION.split(text)):
        if number % 2 == 0:
            pieces += [(piece, False)] if piece else []
            continue
        found = REFERENCE.fullmatch(piece)
        if found is None or any(_related(found[1], _dotted(place)) for place in dependent):
            return None
        pieces.append((tuple(found[1].split(".")), True))
    return pieces


def _join(values: list[Any]) -> Any:
    """What OmegaConf makes of the values of a text's pieces: a single one as it is, else their texts in a row."""
    if len(values) == 1:
        return values[0]
    if any(isinstance(value, dict | list) for value in values):
        raise UnsuitableError
    return "".join(map(str, values))


def _resolved(config: DictConfig, place: Place) -> Any:
    section: Any = config
    for key in place[:-1]:
        section = section._get_node(key)  # as it is: a reference to another section is not followed
    value = section[place[-1]]
    return OmegaConf.to_container(value, resolve=True, throw_on_missing=True) if OmegaConf.is_config(value) else value


def _dotted(place: Place) -> str:
    return ".".join(map(str, place))


def _related(one: str, other: str) -> bool:
    """Whether one setting is the other, or a section that it lies in."""
    return one == other or one.startswith(f"{other}.") or other.startswith(f"{one}.")
