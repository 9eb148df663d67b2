"""The signature of a ``_target_``, read from its source code."""

import ast
import copy
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from convexp.config.docstrings import entries
from convexp.config.signatures.annotations import ValueSchema, annotation_schema
from convexp.config.signatures.source import Definition, find_definition, resolve_definition

PACKAGE = "convexp"


@dataclass(frozen=True)
class Signature:
    """The arguments of a callable.

    Attributes:
        schemas: The name of each argument, with the values that its annotation allows.
        required: Names of the arguments that have no default.
        open: Whether the callable takes any other keyword argument, by ``**``.
        meanings: The name of each argument that the docstring describes (``Args:``), with its description.
        defaults: The name of each argument whose default is written as a plain value, with this value.
    """

    schemas: dict[str, ValueSchema]
    required: frozenset[str]
    open: bool
    meanings: dict[str, str]
    defaults: dict[str, Any] = field(default_factory=dict)


@cache  # the runs of a sweep have most targets in common
def read_signature(target: str) -> Signature | None:
    """The signature of ``package.module.Name``; None if the source code does not show it.

    A name of convexp has to be given by the module that defines it, a name of another package may be imported there.

    Raises:
        LookupError: if the target belongs to convexp and there is no such module or name.
    """
    module, _, name = target.rpartition(".")
    ours = module.split(".")[0] == PACKAGE
    definition = find_definition(module, name) if ours else resolve_definition(module, name)
    if ours and (definition is None or isinstance(definition[1], ast.expr)):
        raise LookupError(target)
    return _of_definition(definition)


def _of_definition(definition: Definition | None) -> Signature | None:
    match definition:
        case module, ast.FunctionDef(decorator_list=[]) as node:
            return _signature(node.args, module, ast.get_docstring(node))
        case module, ast.ClassDef() as node:
            return _of_class(node, module)
        case _:
            return None


def _of_class(node: ast.ClassDef, module: str) -> Signature | None:
    """The signature of ``__init__``, of the fields of a dataclass, or of the first base class that has one."""
    for method in node.body:
        if isinstance(method, ast.FunctionDef) and method.name == "__init__":
            docstring = f"{ast.get_docstring(node) or ''}\n\n{ast.get_docstring(method) or ''}"
            return None if method.decorator_list else signature_of_method(method, module, docstring)
    if any("dataclass" in ast.unparse(decorator) for decorator in node.decorator_list):
        return _of_fields(node, module)
    names = [base.id for base in node.bases if isinstance(base, ast.Name)]
    return next(filter(None, (_of_definition(resolve_definition(module, name)) for name in names)), None)


def signature_of_method(node: ast.FunctionDef, module: str, docstring: str | None) -> Signature:
    """The signature of the method that ``node`` defines in ``module``, without its first argument, whatever its name."""
    arguments = copy.copy(node.args)
    if arguments.posonlyargs:
        arguments.posonlyargs = arguments.posonlyargs[1:]
    else:
        arguments.args = arguments.args[1:]
    return _signature(arguments, module, docstring)


def _signature(arguments: ast.arguments, module: str, docstring: str | None) -> Signature:
    positional = [*arguments.posonlyargs, *arguments.args]
    with_default = [*positional[len(positional) - len(arguments.defaults) :], *arguments.kwonlyargs]
    given = zip(with_default, [*arguments.defaults, *arguments.kw_defaults], strict=True)
    defaults = {a.arg: default for a, default in given if default is not None}
    named = (*positional, *arguments.kwonlyargs)
    schemas = {a.arg: annotation_schema(a.annotation, module) for a in named}
    required = frozenset(schemas) - set(defaults)
    return Signature(schemas, required, arguments.kwarg is not None, _meanings(docstring), _plain(defaults.items()))


def _of_fields(node: ast.ClassDef, module: str) -> Signature:
    """The signature that a dataclass has through its annotated fields."""
    fields = {a.target.id: a for a in node.body if isinstance(a, ast.AnnAssign) and isinstance(a.target, ast.Name)}
    required = frozenset(name for name, field in fields.items() if field.value is None)
    schemas = {name: annotation_schema(field.annotation, module) for name, field in fields.items()}
    defaults = _plain((name, field.value) for name, field in fields.items() if field.value is not None)
    return Signature(schemas, required, False, _meanings(ast.get_docstring(node)), defaults)


def _plain(defaults: Iterable[tuple[str, ast.expr]]) -> dict[str, Any]:
    """The defaults that are written as plain values; names and calls are left out."""
    found: dict[str, Any] = {}
    for name, default in defaults:
        with suppress(ValueError):
            found[name] = ast.literal_eval(default)
    return found


def _meanings(docstring: str | None) -> dict[str, str]:
    """The entries of the section ``Args:`` of a docstring, each in one line."""
    return {entry.name: entry.text for entry in entries(docstring, "Args")}
