"""Validate a section of the configuration by its class, with pydantic's errors in one line."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from convexp.config.messages.validation import explain_validation_error
from convexp.errors import ConfigError

Model = TypeVar("Model", bound=BaseModel)


def validated(kind: type[Model], values: Mapping[Any, Any], section: str = "") -> Model:
    """Return ``values`` as a ``kind``: every setting has the type and the range that the class says.

    Args:
        kind: The class of the section.
        values: Plain values.
        section: The name of the section; empty for the whole configuration.

    Raises:
        ConfigError: naming the settings that are wrong, their values and what would be right.
    """
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        raise ConfigError(explain_validation_error(error, values, section)) from None
