"""Where names are defined, read from the source of whichever package: importing it might import torch."""

import ast
from functools import cache
from importlib.util import find_spec
from pathlib import Path

Definition = tuple[str, ast.FunctionDef | ast.ClassDef | ast.expr]  # the module, and what a name stands for in it


@cache
def module(dotted: str) -> ast.Module | None:
    """The syntax tree of a module, None if there is no such file, or it cannot be read as Python."""
    package, *parts = dotted.split(".")
    try:
        spec = find_spec(package)  # of a package that is no part of another one: nothing is imported
    except (ImportError, ValueError):
        return None
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin)
    if parts:
        path = path.parent.joinpath(*parts)
        path = path / "__init__.py" if path.is_dir() else path.with_name(f"{path.name}.py")
    if path.suffix != ".py" or not path.is_file():
        return None
    try:
        return ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):  # who imports it is told
        return None


def defined(dotted: str, name: str) -> Definition | None:
    """What ``name`` stands for, if the module itself says so."""
    tree = module(dotted)
    for node in tree.body if tree is not None else ():
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name:
            return dotted, node
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == [name]:
            return dotted, node.value
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == name and node.value is not None:
            return dotted, node.value
    return None


def found(dotted: str, name: str, depth: int = 5) -> Definition | None:
    """Likewise, following up to ``depth`` imports of the form ``from module import name``."""
    if (here := defined(dotted, name)) is not None:
        return here
    tree = module(dotted)
    for node in tree.body if tree is not None and depth else ():
        for alias in node.names if isinstance(node, ast.ImportFrom) else ():
            if (alias.asname or alias.name) == name:
                assert isinstance(node, ast.ImportFrom)
                return found(_absolute(dotted, node), alias.name, depth - 1)
    return None


def _absolute(dotted: str, node: ast.ImportFrom) -> str:
    """The module that a relative import names; ``dotted`` is taken for a package only if it is a folder's."""
    if not node.level:
        return node.module or ""
    parts = dotted.split(".")
    up = node.level - (1 if _is_package(dotted) else 0)
    return ".".join([*parts[: len(parts) - up], *([node.module] if node.module else [])])


def _is_package(dotted: str) -> bool:
    package, *parts = dotted.split(".")
    spec = find_spec(package)
    return spec is not None and spec.origin is not None and Path(spec.origin).parent.joinpath(*parts).is_dir()
