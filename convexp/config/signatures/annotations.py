"""From the annotation of an argument to the JSON schema of its values (the part of JSON schema that is needed here)."""

import ast
from typing import Any

from convexp.config.signatures.source import resolve_definition

ValueSchema = dict[str, Any]  # the empty schema allows any value

_BUILTIN: dict[str, ValueSchema] = {
    "bool": {"type": "boolean"},
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "str": {"type": "string"},
    "None": {"type": "null"},
}
_LISTS = ("list", "List", "tuple", "Tuple", "Sequence")


def annotation_schema(annotation: ast.expr | None, module: str) -> ValueSchema:
    """The values that ``annotation``, written in ``module``, allows; any value if it names classes of other kinds."""
    match annotation:
        case ast.Constant(value=None):
            return _BUILTIN["None"]
        case ast.Constant(value=str(text)):
            return annotation_schema(ast.parse(text, mode="eval").body, module)
        case ast.Name(id=name):
            return _BUILTIN.get(name) or ({"type": "array"} if name in _LISTS else _alias(name, module))
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return _any_of([annotation_schema(left, module), annotation_schema(right, module)])
        case ast.Subscript(value=ast.Name(id=name), slice=inner):
            return _generic(name, inner.elts if isinstance(inner, ast.Tuple) else [inner], module)
        case _:
            return {}


def _alias(name: str, module: str) -> ValueSchema:
    """The values of a type alias such as ``Name = Literal[...]``, defined in ``module`` or imported into it."""
    definition = resolve_definition(module, name, depth=1) if module.count(".") else None
    if definition is None or isinstance(definition[1], ast.FunctionDef | ast.ClassDef):
        return {}
    return annotation_schema(definition[1], definition[0])


def _generic(name: str, inner: list[ast.expr], module: str) -> ValueSchema:
    if name == "Literal":
        return {"enum": [ast.literal_eval(value) for value in inner]}
    if name in ("Optional", "Union"):
        parts = [annotation_schema(part, module) for part in inner]
        return _any_of([*parts, *([_BUILTIN["None"]] if name == "Optional" else [])])
    if name in _LISTS:
        return {"type": "array"} | ({"items": annotation_schema(inner[0], module)} if len(inner) == 1 else {})
    return {}


def _any_of(schemas: list[ValueSchema]) -> ValueSchema:
    return {"anyOf": schemas} if all(schemas) else {}
