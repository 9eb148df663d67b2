"""Signatures of convexp's own ``_target_``s, read from the source: importing them would import torch."""

import ast
from dataclasses import dataclass
from functools import cache

from convexp.config.paths import PACKAGE


@dataclass(frozen=True)
class Signature:
    """Names a callable takes, those without a default, and whether it takes any other by ``**``."""

    names: tuple[str, ...]
    required: frozenset[str]
    open: bool


@cache
def _module(dotted: str) -> ast.Module | None:
    """The syntax tree of a module of this package, None if there is no such file."""
    path = PACKAGE.joinpath(*dotted.split(".")[1:])
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return ast.parse(file.read_text(encoding="utf-8")) if file.is_file() else None


def _arguments(node: ast.FunctionDef) -> Signature:
    given = node.args
    positional = [*given.posonlyargs, *given.args]
    defaulted = {a.arg for a in positional[len(positional) - len(given.defaults) :]}
    defaulted |= {a.arg for a, default in zip(given.kwonlyargs, given.kw_defaults, strict=True) if default is not None}
    names = [a.arg for a in (*positional, *given.kwonlyargs) if a.arg != "self"]
    return Signature(tuple(names), frozenset(n for n in names if n not in defaulted), given.kwarg is not None)


def _fields(node: ast.ClassDef) -> Signature:
    """Of a dataclass: its annotated fields."""
    fields = {a.target.id: a.value for a in node.body if isinstance(a, ast.AnnAssign) and isinstance(a.target, ast.Name)}
    return Signature(tuple(fields), frozenset(n for n, value in fields.items() if value is None), False)


def _defines(tree: ast.Module | None, name: str) -> bool:
    return tree is not None and any(isinstance(node, ast.ClassDef) and node.name == name for node in tree.body)


def signature(target: str) -> Signature | None:
    """Signature of ``convexp.module.Name``; None where the source does not tell (not ours, or inherited).

    Raises:
        LookupError: if the target lies in this package and there is no such module or name.
    """
    module, _, name = target.rpartition(".")
    if module.split(".")[0] != "convexp":
        return None
    tree = _module(module)
    for node in tree.body if tree is not None else ():
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return _arguments(node)
        if isinstance(node, ast.ClassDef) and node.name == name:
            methods = [m for m in node.body if isinstance(m, ast.FunctionDef) and m.name == "__init__"]
            if methods:
                return _arguments(methods[0])
            if node.decorator_list:
                return _fields(node)
            bases = [base.id for base in node.bases if isinstance(base, ast.Name) and _defines(tree, base.id)]
            return signature(f"{module}.{bases[0]}") if bases else None
    raise LookupError(target)
