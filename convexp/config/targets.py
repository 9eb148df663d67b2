"""Signatures of ``_target_``s, read from the source: importing them would import torch."""

import ast
from dataclasses import dataclass

from convexp.config.docstrings import entries
from convexp.config.kinds import Kind, kind
from convexp.config.source import Definition, defined, found

OURS = "convexp"


@dataclass(frozen=True)
class Signature:
    """What a callable takes.

    Attributes:
        kinds: names and the values that their annotations allow.
        required: names without a default.
        open: whether it takes any other name by ``**``.
        meanings: what its docstring says of a name (``Args:``).
    """

    kinds: dict[str, Kind]
    required: frozenset[str]
    open: bool
    meanings: dict[str, str]


def signature(target: str) -> Signature | None:
    """Signature of ``package.module.Name``; None where the source does not tell.

    Of this package a name counts where it is defined, of others also where it is imported to.

    Raises:
        LookupError: if the target lies in this package and there is no such module or name.
    """
    module, _, name = target.rpartition(".")
    ours = module.split(".")[0] == OURS
    definition = defined(module, name) if ours else found(module, name)
    if ours and (definition is None or isinstance(definition[1], ast.expr)):
        raise LookupError(target)
    return _signature(definition)


def _signature(definition: Definition | None) -> Signature | None:
    match definition:
        case module, ast.FunctionDef(decorator_list=[]) as node:
            return _of_function(node, module, ast.get_docstring(node))
        case module, ast.ClassDef() as node:
            return _of_class(node, module)
        case _:
            return None


def _of_class(node: ast.ClassDef, module: str) -> Signature | None:
    for method in node.body:
        if isinstance(method, ast.FunctionDef) and method.name == "__init__":
            said = f"{ast.get_docstring(node) or ''}\n\n{ast.get_docstring(method) or ''}"
            return None if method.decorator_list else _of_function(method, module, said)
    if any("dataclass" in ast.unparse(decorator) for decorator in node.decorator_list):
        return _of_fields(node, module)
    names = [base.id for base in node.bases if isinstance(base, ast.Name)]
    return next(filter(None, (_signature(found(module, name)) for name in names)), None)


def _of_function(node: ast.FunctionDef, module: str, said: str | None) -> Signature:
    given = node.args
    positional = [*given.posonlyargs, *given.args]
    defaulted = {a.arg for a in positional[len(positional) - len(given.defaults) :]}
    defaulted |= {a.arg for a, default in zip(given.kwonlyargs, given.kw_defaults, strict=True) if default is not None}
    kinds = {a.arg: kind(a.annotation, module) for a in (*positional, *given.kwonlyargs) if a.arg != "self"}
    return Signature(kinds, frozenset(kinds) - defaulted, given.kwarg is not None, _meanings(said))


def _of_fields(node: ast.ClassDef, module: str) -> Signature:
    """Of a dataclass: its annotated fields."""
    fields = {a.target.id: a for a in node.body if isinstance(a, ast.AnnAssign) and isinstance(a.target, ast.Name)}
    required = frozenset(name for name, field in fields.items() if field.value is None)
    kinds = {name: kind(field.annotation, module) for name, field in fields.items()}
    return Signature(kinds, required, False, _meanings(ast.get_docstring(node)))


def _meanings(docstring: str | None) -> dict[str, str]:
    """The entries below ``Args:``, each in one line."""
    return {entry.name: entry.text for entry in entries(docstring, "Args")}
