"""What a misspelled name may have been meant to be."""

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel

from convexp.config.schema import Config, NetworkModel, SkeletonModel
from convexp.config.signatures.settable import settable_arguments

MOST_PLACES = 3  # of a name that several sections have


def suggest(name: str, known: Iterable[str], list_all: bool = True) -> str:
    """The end of a message: the name in ``known`` that is most similar to ``name``, or those that are equally similar.

    If none is similar, all of them are listed, unless ``list_all`` is False. Empty if there is nothing to suggest.
    """
    candidates = [each for each in known if not each.startswith("_")]
    if similar := _most_similar(name, candidates):
        return f"; did you mean {' or '.join(similar)}?"
    return f"; there are {', '.join(candidates)}" if candidates and list_all else ""


def suggest_option(group: str, option: str, known: Sequence[str]) -> str:
    """The end of a message about an option that does not exist: the most similar ones as they are typed, then all there are."""
    similar = " or ".join(f"{group}={each}" for each in _most_similar(option, known))
    if similar:
        return f"; did you mean {similar}? There are {', '.join(known)}"
    return f"; there are {', '.join(known)}" if known else ""


def suggest_path(path: str, settings: Mapping[Any, Any]) -> str:
    """As ``suggest``, for a setting such as ``optimzer.lrr``, each of whose parts may be misspelled: ``optimizer.lr``.

    Empty if ``settings`` has none that is similar in every part.
    """
    found: list[tuple[list[str], Any]] = [([], settings)]
    for part in path.split("."):
        sections = [(above, section) for above, section in found if isinstance(section, Mapping)]
        found = [([*above, name], section[name]) for above, section in sections for name in _same_or_similar(part, section)]
    return f"; did you mean {' or '.join('.'.join(parts) for parts, _ in found)}?" if found else ""


def _same_or_similar(name: str, section: Mapping[Any, Any]) -> list[str]:
    known = [str(each) for each in section if not str(each).startswith("_")]
    return [name] if name in known else _most_similar(name, known)


def suggest_anywhere(name: str, settings: Mapping[Any, Any]) -> str:
    """As ``suggest`` among the names of nested settings: of one within a section, the whole name, such as ``optimizer.lr``.

    Of several with the same name, those nearest to the top are suggested.
    """
    places: dict[str, list[str]] = {}
    for path in _paths(settings):
        places.setdefault(path.rpartition(".")[2], []).append(path)
    found = [path for similar in _most_similar(name, places) for path in places[similar]]
    depth = min((path.count(".") for path in found), default=0)
    nearest = [path for path in found if path.count(".") == depth]
    return f"; did you mean {' or '.join(nearest)}?" if 0 < len(nearest) <= MOST_PLACES else suggest(name, settings)


def _paths(settings: Mapping[Any, Any], above: str = "") -> Iterator[str]:
    for name, value in settings.items():
        if not str(name).startswith("_"):
            yield f"{above}{name}"
            if isinstance(value, dict):
                yield from _paths(value, f"{above}{name}.")


def _most_similar(name: str, candidates: Iterable[str]) -> list[str]:
    """The candidate that is most similar to ``name``, or those that are equally similar; none if none is."""
    similar = difflib.get_close_matches(name, candidates)
    return sorted(each for each in similar if _similarity(each, name) == _similarity(similar[0], name))


def _similarity(candidate: str, name: str) -> float:
    return difflib.SequenceMatcher(None, candidate, name).ratio()  # in this order, as difflib.get_close_matches compares


def explain_skeleton_setting(name: str) -> str | None:
    """Why ``model.name`` is no setting of a network other than the skeleton; None if the skeleton has no such setting."""
    if name not in SkeletonModel.model_fields or name in NetworkModel.model_fields:
        return None
    return (
        f"model.{name}: is a setting of the skeleton (model=conv, for example), and this model has a network of its own, whose "
        "settings are those below model.network"
    )


def suggest_setting(path: str, target: str | None = None) -> str:
    """Likely alternatives to a setting that does not exist, as ``suggest`` words them.

    Args:
        path: the setting, such as ``model.widht``.
        target: the ``_target_`` beside it, whose arguments are settings, too.
    """
    parent, _, name = path.rpartition(".")
    return suggest(name, dict.fromkeys([*_schema_settings(parent), *settable_arguments(parent, target)]))


def _schema_settings(path: str) -> list[str]:
    """Names of the settings that the schema has directly below ``path``."""
    sections: list[Any] = [Config]
    for part in filter(None, path.split(".")):
        fields = [section.model_fields[part] for section in sections if part in section.model_fields]
        sections = [section for field in fields for section in _sections(field.annotation)]
    return [field.alias or name for section in sections for name, field in section.model_fields.items()]


def _sections(annotation: Any) -> list[Any]:
    """The section that an annotation names, or the kinds of section, such as those of ``model``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [section for part in get_args(annotation) for section in _sections(part)]
