"""Explain pydantic's validation errors in one line."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from convexp.config.messages.suggestions import suggest_path, suggest_setting

MAX_ERRORS = 3  # further ones are left out
MAX_CHARACTERS = 200  # of a value; the rest is left out


def explain_validation_error(error: ValidationError, values: Mapping[Any, Any], section: str = "") -> str:
    """Every error as ``setting=value: what would be right``, joined by semicolons.

    Args:
        error: the error of pydantic.
        values: what was validated.
        section: the section of the configuration that was validated; empty for all of it.
    """
    errors: Sequence[Mapping[str, Any]] = error.errors()
    prefix = [section] if section else []
    settings = {section: values} if section else values
    return "; ".join(_explain({**each, "loc": (*prefix, *each["loc"])}, settings) for each in errors[:MAX_ERRORS])


def show_value(value: Any) -> str:
    """The value as a message shows it: ``null`` for None, and shortened if it is long."""
    text = "null" if value is None else str(value)
    return text if len(text) <= MAX_CHARACTERS else f"{text[:MAX_CHARACTERS]}..."


def _explain(error: Mapping[str, Any], settings: Mapping[Any, Any]) -> str:
    parts = [str(part) for part in error["loc"] if not _is_union_branch(part)]
    setting = ".".join(parts)
    message = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        within = ".".join((setting, *_first_name(error["input"])))
        if within != setting and (suggestion := suggest_path(within, _without(settings, parts))):
            return f"{within}: there is no such setting{suggestion}"
        return f"{setting}: there is no such setting{suggest_setting(setting)}"
    if error["type"] == "missing":
        return f"{setting}: is missing"
    if setting == "match":
        message = "Input should be units, params:N or flops:N with a whole number N, as in match=params:50000"
    return f"{setting}={show_value(error['input'])}: {message.replace('Input should', 'should')}"


def _first_name(value: Any) -> list[str]:
    """The name of the first setting within a section, by its parts; empty for a value that is no section."""
    if not isinstance(value, Mapping) or not value:
        return []
    name, inner = next(iter(value.items()))
    return [str(name), *_first_name(inner)]


def _without(settings: Any, parts: Sequence[str]) -> Any:
    """The settings without the one at the place ``parts``; a list is left as it is."""
    if not isinstance(settings, Mapping):
        return settings
    name, *inner = parts
    others = {key: value for key, value in settings.items() if key != name}
    return {**others, name: _without(settings.get(name), inner)} if inner else others


def _is_union_branch(part: Any) -> bool:
    """Whether pydantic adds this part of a location for the member of a union that it tried."""
    return isinstance(part, str) and (
        part in ("int", "float", "bool", "str", "constrained-int", "constrained-float") or "[" in part
    )
