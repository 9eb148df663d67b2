"""What a misspelled name may have been meant to be."""

import difflib
from collections.abc import Iterable
from typing import Any, get_args

from pydantic import BaseModel

from convexp.config.schema import Config, NetworkModel, SkeletonModel
from convexp.config.signatures.settable import settable_arguments


def suggest(name: str, known: Iterable[str], list_all: bool = True) -> str:
    """The end of a message: the name in ``known`` that is most similar to ``name``, or those that are equally similar.

    If none is similar, all of them are listed, unless ``list_all`` is False. Empty if there is nothing to suggest.
    """
    candidates = [each for each in known if not each.startswith("_")]
    if similar := difflib.get_close_matches(name, candidates):
        best = _similarity(similar[0], name)
        return f"; did you mean {' or '.join(sorted(each for each in similar if _similarity(each, name) == best))}?"
    return f"; there are {', '.join(candidates)}" if candidates and list_all else ""


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
