"""The Python API: pages that mkdocstrings fills with the signatures and docstrings of what users are told to import."""

import ast
from dataclasses import dataclass

from convexp.config.signatures.source import find_definition, parse_module, resolve_definition
from reference.markdown import code, escape


@dataclass(frozen=True)
class Page:
    """A page of the API.

    Attributes:
        title: Its heading.
        module: The module that users import from, whose ``__all__`` the page lists.
        others: Further names, as ``package.module.Name``, that a user of this page imports from where they are defined.
        written: What users write in place of the module, if it is another that hands its names on.
        text: What the page is about, if it is about more than the module, whose docstring says it otherwise.
    """

    title: str
    module: str
    others: tuple[str, ...] = ()
    written: str = ""
    text: str = ""

    def names(self) -> dict[str, str]:
        """What the page lists: the name that users write, with the place where it is defined."""
        prefix = self.written or self.module
        found = {f"{prefix}.{name}": defined_at(self.module, name) for name in public_names(self.module)}
        return found | {name: defined_at(*name.rsplit(".", 1)) for name in self.others}


PAGES = {
    "train": Page(
        "Training",
        "convexp.scripting",
        ("convexp.errors.ConvexpError", "convexp.errors.ConfigError"),
        written="convexp",
    ),
    "runs": Page("Runs", "convexp.runs", ("convexp.execution.restore.OpenedRun", "convexp.records.RunRecord")),
    "layers": Page(
        "Layers",
        "convexp.layers",
        ("convexp.layers.base.SpatialLayer", "convexp.layers.windowed.WindowedLayer"),
    ),
    "probes": Page("Probes", "convexp.probes", ("convexp.probes.predict.predict",)),
    "extending": Page(
        "Extending",
        "convexp.data.augment",
        (
            "convexp.data.source.Source",
            "convexp.models.pooling.AdaptivePolyphase",
            "convexp.models.pooling.Blur",
            "convexp.training.tasks.task.Task",
            "convexp.training.tasks.classification.Classification",
        ),
        text="What augmentations, data sources, pooling layers and tasks of your own are made of.",
    ),
    "geometry": Page(
        "Geometry and pictures",
        "convexp.geometry.explanation",
        (
            "convexp.geometry.skeleton.Skeleton",
            "convexp.geometry.skeleton.Stage",
            "convexp.geometry.wiring.Wiring",
            "convexp.reporting.playable.PlaygroundNetwork",
            "convexp.reporting.render.html.playground.playground_html",
        ),
        text="What follows from the geometry of a network, before it has weights; and a playground for a page of your own.",
    ),
}


def public_names(module: str) -> list[str]:
    """The names in ``__all__`` of a module; of one without, its functions and classes without an underscore."""
    listed = find_definition(module, "__all__")
    if listed is not None and isinstance(listed[1], ast.List | ast.Tuple):
        return [str(name) for name in ast.literal_eval(listed[1]) if not str(name).startswith("__")]
    tree = parse_module(module)
    found = [node.name for node in (tree.body if tree else []) if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    return [name for name in found if not name.startswith("_")]


def defined_at(module: str, name: str) -> str:
    """Where a name of a module is defined, as ``package.module.Name``.

    Raises:
        LookupError: if there is no such name.
    """
    definition = resolve_definition(module, name)
    if definition is None:
        raise LookupError(f"{module}.{name}")
    node = definition[1]
    return f"{definition[0]}.{node.name if isinstance(node, ast.FunctionDef | ast.ClassDef) else name}"


def python_pages() -> dict[str, str]:
    """A page for each module that users import from."""
    return {f"reference/python/{name}.md": _page(page) for name, page in PAGES.items()}


def _page(page: Page) -> str:
    written, tree = page.written or page.module, parse_module(page.module)
    head = f"# {escape(page.title)}\n\n{escape(page.text or (ast.get_docstring(tree) if tree else None) or code(written))}"
    entries = [_entry(written, place) for written, place in page.names().items()]
    return "\n\n".join([head, *entries]) + "\n"


def _entry(written: str, place: str) -> str:
    options = {"heading": written, "toc_label": written.rpartition(".")[2]}
    lines = [f"::: {place}", "    options:", *(f"      {key}: {value}" for key, value in options.items())]
    return "\n".join(lines)
