"""Which values a setting may have, as a JSON schema (the part of it that is needed here): read, tested, put into words."""

import ast
from typing import Any

from convexp.config.source import found

Kind = dict[str, Any]  # {} is any value

NAMED: dict[str, Kind] = {
    "bool": {"type": "boolean"},
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "str": {"type": "string"},
    "None": {"type": "null"},
}
LISTS = ("list", "List", "tuple", "Tuple", "Sequence")


def kind(annotation: ast.expr | None, module: str) -> Kind:
    """What an annotation in ``module`` allows; anything, where it names classes that no configuration holds."""
    match annotation:
        case ast.Constant(value=None):
            return NAMED["None"]
        case ast.Constant(value=str(text)):
            return kind(ast.parse(text, mode="eval").body, module)
        case ast.Name(id=name):
            return NAMED.get(name) or ({"type": "array"} if name in LISTS else _alias(name, module))
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return _any_of([kind(left, module), kind(right, module)])
        case ast.Subscript(value=ast.Name(id=name), slice=inner):
            return _generic(name, inner.elts if isinstance(inner, ast.Tuple) else [inner], module)
        case _:
            return {}


def _alias(name: str, module: str) -> Kind:
    """What ``Name = Literal[...]`` stands for, here or where it is imported from."""
    definition = found(module, name, depth=1) if module.count(".") else None
    if definition is None or isinstance(definition[1], ast.FunctionDef | ast.ClassDef):
        return {}
    return kind(definition[1], definition[0])


def _generic(name: str, inner: list[ast.expr], module: str) -> Kind:
    if name == "Literal":
        return {"enum": [ast.literal_eval(value) for value in inner]}
    if name in ("Optional", "Union"):
        return _any_of([*(kind(part, module) for part in inner), *([NAMED["None"]] if name == "Optional" else [])])
    if name in LISTS:
        return {"type": "array"} | ({"items": kind(inner[0], module)} if len(inner) == 1 else {})
    return {}


def _any_of(kinds: list[Kind]) -> Kind:
    return {"anyOf": kinds} if all(kinds) else {}


def fits(value: Any, allowed: Kind) -> bool:
    """Whether a plain value is one of those; whole numbers are numbers, and neither is true or false."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    match allowed:
        case {"anyOf": kinds}:
            return any(fits(value, each) for each in kinds)
        case {"enum": values}:
            return any(value == each and type(value) is type(each) for each in values)
        case {"type": "array"}:
            return isinstance(value, list) and all(fits(item, allowed.get("items", {})) for item in value)
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


def choices(allowed: Kind) -> list[str]:
    """The values as they are typed, where they can be counted."""
    match allowed:
        case {"anyOf": kinds}:
            return [value for each in kinds for value in choices(each)]
        case {"enum": values}:
            return [str(value).lower() if isinstance(value, bool) else str(value) for value in values]
        case {"type": "boolean"}:
            return ["true", "false"]
        case {"type": "null"}:
            return ["null"]
        case _:
            return []


def words(allowed: Kind) -> str:
    """For people: ``one of zeros, reflect``, ``a whole number (1 or more), or null``."""
    match allowed:
        case {"anyOf": [one, {"type": "array", "items": each}]} if each == one:
            return f"{words(one)}, or a list of these"
        case {"anyOf": kinds}:
            return ", or ".join(map(words, sorted(kinds, key=lambda each: each.get("type") == "null")))
        case {"enum": _}:
            return f"one of {', '.join(choices(allowed))}"
        case {"type": "array"}:
            return f"a list of values, each {words(allowed['items'])}" if allowed.get("items") else "a list"
        case {"type": "null"}:
            return "null"
        case {"type": "boolean"}:
            return "true or false"
        case {"type": "integer"}:
            return f"a whole number{_range(allowed)}"
        case {"type": "number"}:
            return f"a number{_range(allowed)}"
        case {"type": "string"}:
            return "text"
        case _:
            return ""


def _range(allowed: Kind) -> str:
    least, above = allowed.get("minimum"), allowed.get("exclusiveMinimum")
    if above is not None and allowed["type"] == "integer":
        least, above = above + 1, None
    sides = {
        "above {}": above,
        "{} or more": least,
        "below {}": allowed.get("exclusiveMaximum"),
        "at most {}": allowed.get("maximum"),
    }
    said = [text.format(side) for text, side in sides.items() if side is not None]
    return f" ({', '.join(said)})" if said else ""
