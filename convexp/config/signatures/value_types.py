"""Values and their JSON schema: does a value match it, which values can be listed, and how is it described in words?"""

from typing import Any

from convexp.config.signatures.annotations import ValueSchema


def matches(value: Any, schema: ValueSchema) -> bool:
    """Whether a plain value matches ``schema``. Integers are numbers; ``True`` and ``False`` are neither."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    match schema:
        case {"anyOf": schemas}:
            return any(matches(value, each) for each in schemas)
        case {"const": only}:
            return value == only and type(value) is type(only)
        case {"enum": values}:
            return any(value == each and type(value) is type(each) for each in values)
        case {"type": "array"}:
            return isinstance(value, list) and all(matches(item, schema.get("items", {})) for item in value)
        case {"type": "null"}:
            return value is None
        case {"type": "boolean"}:
            return isinstance(value, bool)
        case {"type": "integer"}:
            return number and isinstance(value, int)
        case {"type": "number"}:
            return number
        case {"type": "string"}:
            return isinstance(value, str)
        case _:
            return True


def list_values(schema: ValueSchema) -> list[str]:
    """The values that match ``schema``, as they are typed; an empty list if they cannot be enumerated."""
    match schema:
        case {"anyOf": schemas}:
            return [value for each in schemas for value in list_values(each)]
        case {"const": only}:
            return [str(only)]
        case {"enum": values}:
            return [str(value).lower() if isinstance(value, bool) else str(value) for value in values]
        case {"type": "boolean"}:
            return ["true", "false"]
        case {"type": "null"}:
            return ["null"]
        case _:
            return []


def describe_values(schema: ValueSchema) -> str:
    """The values in words: ``one of zeros, reflect``, or ``a whole number (1 or more), or null``."""
    match schema:
        case {"anyOf": [one, {"type": "array", "items": each}]} if each == one:
            return f"{describe_values(one)}, or a list of these"
        case {"anyOf": [one, {"type": "array", "items": {"anyOf": [each, {"type": "array"}]}}]} if each == one:
            return f"{describe_values(one)}, or a list of these, in which each may be a list itself"
        case {"anyOf": schemas}:
            return ", or ".join(map(describe_values, sorted(schemas, key=lambda each: each.get("type") == "null")))
        case {"const": only}:
            return str(only)
        case {"enum": _}:
            return f"one of {', '.join(list_values(schema))}"
        case {"type": "array"}:
            each = describe_values(schema.get("items", {}))
            return f"a list of values, each {each}" if each else "a list"
        case {"type": "null"}:
            return "null"
        case {"type": "boolean"}:
            return "true or false"
        case {"type": "integer"}:
            return f"a whole number{_describe_range(schema)}"
        case {"type": "number"}:
            return f"a number{_describe_range(schema)}"
        case {"type": "string"}:
            return "text"
        case _:
            return ""


def _describe_range(schema: ValueSchema) -> str:
    least, above = schema.get("minimum"), schema.get("exclusiveMinimum")
    if above is not None and schema["type"] == "integer":
        least, above = above + 1, None
    limits = {
        "above {}": above,
        "{} or more": least,
        "below {}": schema.get("exclusiveMaximum"),
        "at most {}": schema.get("maximum"),
    }
    texts = [text.format(limit) for text, limit in limits.items() if limit is not None]
    return f" ({', '.join(texts)})" if texts else ""
