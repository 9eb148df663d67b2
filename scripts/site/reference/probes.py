"""The probes: formula, units and source of each, from the docstring of its class, and its settings from its YAML file."""

import ast
import inspect
import re
from dataclasses import dataclass

from convexp.config.docstrings import Entry, entries
from convexp.config.instantiate import TARGET
from convexp.config.json_schemas.conf_files import ConfFile
from convexp.config.options import title
from convexp.config.signatures.source import find_definition
from reference.markdown import code, escape, table
from reference.options import arguments_table, option_files

SECTIONS = re.compile(r"^(Args|Numbers|Pictures):\n", re.MULTILINE)
SOURCE = re.compile(r"^Source: (.*?)(?=\n\n|\Z)", re.MULTILINE | re.DOTALL)

HEAD = """# Probes

What each probe measures, as a formula; the numbers that it records, with their units; its settings; and where the measure comes
from. How probes are chosen and what they are for: [Probes](../probes.md). In the formulas f is the network, x an image, `T_δ` a
shift by δ pixels, E a mean over test images. This page is made from the docstrings.
"""


@dataclass(frozen=True)
class ProbeText:
    """What the docstring of a probe says.

    Attributes:
        definition: What is measured, with the formula, in the docstring's markup.
        sources: Where the measure comes from.
        numbers: The numbers that it records, each with its unit.
        pictures: The pictures that it draws, each with the unit of what is drawn.
    """

    definition: str
    sources: list[str]
    numbers: list[Entry]
    pictures: list[Entry]


def probe_files() -> dict[str, ConfFile]:
    """The YAML file of every probe, by name; those that choose several are left out."""
    return {file.path.stem: file for file in option_files()["probes"] if file.path.stem in file.values}


def read_probe(file: ConfFile) -> ProbeText:
    """What the docstring of the probe says that ``file`` names.

    Raises:
        LookupError: if its class is not found, or has no docstring.
    """
    target = str(file.values[file.path.stem][TARGET])
    module, _, name = target.rpartition(".")
    definition = find_definition(module, name)
    if definition is None or not isinstance(definition[1], ast.ClassDef) or not (said := ast.get_docstring(definition[1])):
        raise LookupError(f"{target}: has no docstring")
    return parse_docstring(said)


def parse_docstring(docstring: str) -> ProbeText:
    """Take the docstring of a probe apart."""
    text = inspect.cleandoc(docstring)
    body = text[: found.start()] if (found := SECTIONS.search(text)) else text
    sources = [" ".join(source.split()) for source in SOURCE.findall(body)]
    return ProbeText(SOURCE.sub("", body).strip(), sources, entries(text, "Numbers"), entries(text, "Pictures"))


def probes_page() -> str:
    """The page of all probes."""
    return "\n\n".join([HEAD, *(_probe(name, file) for name, file in probe_files().items())]) + "\n"


def _probe(name: str, file: ConfFile) -> str:
    text = read_probe(file)
    parts = [f"## {code(name)} {{ #{name} }}", escape(title(file.path)), escape(text.definition)]
    parts += [_entries("number", text.numbers), _entries("picture", text.pictures)]
    parts += [f"**Source:** {escape(source)}" for source in text.sources]
    parts.append(arguments_table(file, f"probes.{name}", str(file.values[name][TARGET])))
    return "\n\n".join(filter(None, parts))


def _entries(what: str, found: list[Entry]) -> str:
    rows = [[code(entry.name), escape(entry.kind), escape(entry.text)] for entry in found]
    return table([what, "unit", "meaning"], rows) if rows else ""
