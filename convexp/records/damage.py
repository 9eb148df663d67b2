"""Files that are not as convexp writes them, and sentences that say what is wrong with them."""

import re
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

KINDS = {
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "bool": "true or false",
    "object": "a section",
    "array": "a list",
    "null": "null",
}
WRONG_TYPE = re.compile(r"Expected `([^`]*)`, got `([^`]*)`")
PLACE = re.compile(r"^(.*?)(?: - at `\$\.?([^`]*)`)?$", re.DOTALL)
MISSING = re.compile(r"Object missing required field `([^`]*)`")


class DamagedError(ValueError):
    """A file is not as convexp writes it; the message says in one line what is wrong, and in which field."""


class NewerError(ValueError):
    """A newer version of convexp wrote a file, in a format that this one does not know."""

    def __init__(self, format: int) -> None:
        super().__init__(f"is of format {format}")
        self.format = format


def decoded(decoder: msgspec.json.Decoder[T], content: bytes | msgspec.Raw, section: str = "") -> T:
    """Decode JSON.

    Args:
        decoder: Decoder of the type that is wanted.
        content: The JSON.
        section: Name of the field that the JSON belongs to, for messages.

    Raises:
        DamagedError: If it is no JSON of that type.
    """
    try:
        return decoder.decode(content)
    except msgspec.ValidationError as error:
        raise DamagedError(explained(error, section)) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise DamagedError(f"{section}: is not valid JSON" if section else "is not valid JSON") from None
    except RecursionError:
        raise DamagedError(f"{section}: is nested too deeply" if section else "is nested too deeply") from None


def converted(value: Any, kind: type[T], section: str) -> T:
    """Convert plain containers to a type.

    Raises:
        DamagedError: If a value is of another type; the message begins with ``section`` and the fields in it.
    """
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise DamagedError(explained(error, section)) from None


def dictionary(value: Any, section: str) -> dict[str, Any]:
    """Return ``value``, an empty dictionary for None.

    Raises:
        DamagedError: If it is something else than a dictionary.
    """
    return converted({} if value is None else value, dict[str, Any], section)


def explained(error: msgspec.ValidationError, section: str) -> str:
    """The sentence of msgspec as ``data.train: should be a whole number, is text``."""
    sentence, place = PLACE.fullmatch(str(error)).groups()  # pyright: ignore[reportOptionalMemberAccess]
    if missing := MISSING.fullmatch(sentence):
        place, sentence = ".".join(filter(None, (place, missing[1]))), "is missing"
    elif wrong := WRONG_TYPE.fullmatch(sentence):
        wanted = " or ".join(KINDS.get(kind, kind) for kind in wrong[1].split(" | ") if kind != "null")
        sentence = f"should be {wanted}, is {KINDS.get(wrong[2], wrong[2])}"
    where = ".".join(filter(None, (section, place)))
    return f"{where}: {sentence}" if where else sentence
