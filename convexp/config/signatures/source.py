"""Find the definition of a name in the source code of any package, without importing it: that might import torch."""

import ast
from functools import cache
from importlib.util import find_spec
from pathlib import Path

Definition = tuple[str, ast.FunctionDef | ast.ClassDef | ast.expr]  # the module, and the node that defines the name there


@cache
def parse_module(dotted: str) -> ast.Module | None:
    """The syntax tree of the module ``dotted``; None if there is no such file, or it is not valid Python."""
    package, *parts = dotted.split(".")
    try:
        spec = find_spec(package)  # of a top-level package: this imports nothing
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
    except (OSError, SyntaxError, ValueError):  # the import of the module will report it
        return None


def find_definition(dotted: str, name: str) -> Definition | None:
    """The definition of ``name`` in the module ``dotted`` itself; None if it defines no such name."""
    tree = parse_module(dotted)
    for node in tree.body if tree is not None else ():
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name:
            return dotted, node
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == [name]:
            return dotted, node.value
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == name and node.value is not None:
            return dotted, node.value
    return None


def resolve_definition(dotted: str, name: str, depth: int = 5) -> Definition | None:
    """The definition of ``name`` as seen from the module ``dotted``, following up to ``depth`` imports of the name.

    Imports of the forms ``from module import name`` and ``from module import *`` are followed. None if no definition is found.
    """
    if (here := find_definition(dotted, name)) is not None:
        return here
    tree = parse_module(dotted)
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)] if tree is not None and depth else []
    for node in imports:
        for alias in node.names:
            if (alias.asname or alias.name) == name:
                return resolve_definition(_absolute_module(dotted, node), alias.name, depth - 1)
    for node in imports:
        if node.names[0].name == "*" and (found := _among_public(_absolute_module(dotted, node), name, depth - 1)) is not None:
            return found
    return None


def _among_public(dotted: str, name: str, depth: int) -> Definition | None:
    """The definition of ``name`` if ``from dotted import *`` imports it."""
    listed = find_definition(dotted, "__all__")
    if listed is None or not isinstance(listed[1], ast.List | ast.Tuple):
        return None if name.startswith("_") else resolve_definition(dotted, name, depth)
    names = [element.value for element in listed[1].elts if isinstance(element, ast.Constant)]
    return resolve_definition(dotted, name, depth) if name in names else None


def _absolute_module(dotted: str, node: ast.ImportFrom) -> str:
    """The full name of the module that an import in the module or package ``dotted`` names."""
    if not node.level:
        return node.module or ""
    parts = dotted.split(".")
    up = node.level - (1 if _is_package(dotted) else 0)
    return ".".join([*parts[: len(parts) - up], *([node.module] if node.module else [])])


def _is_package(dotted: str) -> bool:
    package, *parts = dotted.split(".")
    spec = find_spec(package)
    return spec is not None and spec.origin is not None and Path(spec.origin).parent.joinpath(*parts).is_dir()
