"""What a misspelled name may have been meant to be."""

import difflib
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel

from convexp.config.schema import Config
from convexp.config.signatures.settable import settable_arguments


def suggest(name: str, known: Iterable[str], list_all: bool = True) -> str:
    """The end of a message: the name in ``known`` that is most similar to ``name``.

    If none is similar, all of them are listed, unless ``list_all`` is False. Empty if there is nothing to suggest.
    """
    candidates = [each for each in known if not each.startswith("_")]
    if similar := difflib.get_close_matches(name, candidates, n=1):
        return f"; did you mean {similar[0]}?"
    return f"; there are {', '.join(candidates)}" if candidates and list_all else ""


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
    section: Any = Config
    for part in filter(None, path.split(".")):
        field = section.model_fields.get(part)
        section = field.annotation if field is not None else None
        if not (isinstance(section, type) and issubclass(section, BaseModel)):
            return []
    return [field.alias or name for name, field in section.model_fields.items()]
