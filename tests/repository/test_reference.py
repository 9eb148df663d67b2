"""The reference of the site, made from code and YAML: nothing that exists is missing on it."""

import html
import re
from collections import Counter

import markdown
import pytest
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf
from reference import commands as command_pages
from reference.help_texts import help_texts
from reference.markdown import comment, escape
from reference.options import option_files, options_pages, page_of
from reference.probes import parse_docstring, probe_files, probes_page, read_probe
from reference.python_api import PAGES, python_pages
from reference.settings import settings_page
from reference.values import typed

from convexp import layers, runs
from convexp.config.command_line.parse import parse_command_line
from convexp.config.instantiate import TARGET
from convexp.config.options import is_option, title
from convexp.config.schema import Config

FORMULA = re.compile(r"``[^`]*(?:=|‖|sum|E 1\{)[^`]*``")
HEADING = re.compile(r"^### `([\w.]+)` \{ #(\S+) \}$", re.MULTILINE)


def settings_of_the_schema(node, root, path=""):
    """Every setting of pydantic's schema; a class or function with its arguments, and several under names, are one each."""
    if "$ref" in node:
        node = root["$defs"][node["$ref"].rpartition("/")[2]]
    for part in (part for each in ("anyOf", "oneOf") for part in node.get(each, [])):
        if (found := settings_of_the_schema(part, root, path)) != {path}:
            return found | settings_of_several(node, root, path)
    own = {name: child for name, child in node.get("properties", {}).items() if name != TARGET}
    if not own:
        return {path}
    return {found for name, child in own.items() for found in settings_of_the_schema(child, root, f"{path}.{name}".strip("."))}


def settings_of_several(node, root, path):
    return {setting for part in node.get("oneOf", []) for setting in settings_of_the_schema(part, root, path)}


def test_every_setting_stands_on_its_page_once():
    schema = Config.model_json_schema()
    expected = settings_of_the_schema(schema, schema)
    expected = {re.sub(r"^optimizer\.groups$", "optimizer.groups.NAME.kind", setting) for setting in expected}
    assert len(expected) > 90
    found = HEADING.findall(settings_page())
    assert all(name == anchor for name, anchor in found)
    counts = Counter(name for name, _ in found)
    assert {name: count for name, count in counts.items() if count != 1} == {}
    assert expected <= counts.keys()
    beyond = {name for name in counts if name not in expected and not name.startswith(("optimizer.groups.NAME", "trainer."))}
    assert beyond == set()


def test_a_setting_has_the_default_of_a_run_without_arguments():
    composed = parse_command_line([]).compose("train")
    sections = re.split(r"^### `([\w.]+)` .*\n", settings_page(), flags=re.MULTILINE)[1:]
    values = OmegaConf.to_container(composed, resolve=False)
    checked = 0
    for name, text in zip(sections[::2], sections[1::2], strict=True):
        value, *parts = values, *name.split(".")
        while parts and isinstance(value, dict) and parts[0] in value:
            value = value[parts.pop(0)]
        if not parts and not (isinstance(value, dict) and value) and "see [the options]" not in text:
            assert f"default `{typed(value)}`" in text, name
            checked += 1
    assert checked > 70


def test_every_setting_says_what_it_means():
    sections = re.split(r"^### `([\w.]+)` .*\n", settings_page(), flags=re.MULTILINE)[1:]
    silent = [
        name
        for name, text in zip(sections[::2], sections[1::2], strict=True)
        if len(text.split("\n##")[0].strip().split("\n\n")) < 2 and "see [the options]" not in text
    ]
    assert silent == [], silent


def test_every_option_has_an_entry_with_what_its_file_says_first():
    pages = options_pages()
    for file in (ROOT / "conf").rglob("*/*.yaml"):
        group = file.parent.relative_to(ROOT / "conf").as_posix()
        if group == "local" or not is_option(file) or not title(file):
            continue
        page = pages[page_of(group)]
        assert page.count(f"\n## `{file.stem}` {{ #{file.stem} }}\n\n{escape(title(file))}") == 1, file
        assert page.count(f'"conf/{group}/{file.stem}.yaml"') == 1


def test_every_group_of_options_is_listed():
    groups = {file.parent.relative_to(ROOT / "conf").as_posix() for file in (ROOT / "conf").rglob("*/*.yaml")} - {"local"}
    assert set(option_files()) == groups


PROBES = probe_files()


def test_every_probe_is_on_the_page():
    files = {file.stem for file in (ROOT / "conf" / "probes").glob("*.yaml")} - {"all", "default", "none"}
    assert set(PROBES) == files
    assert set(re.findall(r"^## `(\w+)`", probes_page(), re.MULTILINE)) == files


@pytest.mark.parametrize("name", PROBES)
def test_a_probe_has_a_formula_units_and_a_source(name):
    text = read_probe(PROBES[name])
    assert FORMULA.search(text.definition)
    assert text.sources
    said = [*text.numbers, *text.pictures]
    assert said
    assert all(entry.kind and entry.text for entry in said)


def test_a_docstring_is_taken_apart():
    said = "What ``a = b`` is.\n\nSource: One 2001.\n\nNumbers:\n    n (images): how\n        many.\n\nArgs:\n    a: not this."
    text = parse_docstring(said)
    assert (text.definition, text.sources) == ("What ``a = b`` is.", ["One 2001."])
    assert [(entry.name, entry.kind, entry.text) for entry in text.numbers] == [("n", "images", "how many.")]


def test_the_python_api_has_every_public_name():
    pages = "".join(python_pages().values())
    listed = re.findall(r"heading: (\S+)", pages)
    assert max(Counter(listed).values()) == 1
    for module in (layers, runs):
        assert {f"{module.__name__}.{name}" for name in module.__all__} <= set(listed)
    assert {"convexp.train", "convexp.sweep"} <= set(listed)


def test_the_python_api_has_what_the_documents_import():
    written = {name for page in PAGES.values() for name in page.names()}
    text = "".join(file.read_text(encoding="utf-8") for file in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
    imports = re.findall(r"^from (convexp[\w.]*) import (\([^)]*\)|[^#\n]*)", text, re.MULTILINE)
    named = {f"{module}.{name}" for module, names in imports for name in re.findall(r"\w+", names)}
    assert len(named) > 15
    assert named - written - {"convexp.runs"} == set()  # a module, which has a page


@pytest.mark.integration  # the commands run within this process
def test_every_command_has_a_page_with_its_help(monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    said = help_texts(command_pages.commands())
    monkeypatch.setattr(command_pages, "printed_helps", lambda: said)
    pages = command_pages.command_pages()
    for name, text in said.items():
        page = pages[f"reference/commands/{name}.md"]
        assert page.startswith(f"# `{name}`\n")
        assert text in page
        assert f"[`{name}`]({name}.md) | " in pages["reference/commands/index.md"]
        assert name in text
    assert "### `checkpoint` { #checkpoint }" in pages["reference/commands/convexp-probe.md"]
    assert "### `accelerator` { #accelerator }" in pages["reference/commands/convexp-eval.md"]


@given(st.text(st.characters(codec="utf-8", exclude_characters="`\r\n\t", exclude_categories=["C", "Z"]) | st.just(" ")))
def test_a_text_reads_as_it_was_written(text):
    text = f"A {' '.join(text.split())} b"
    shown = markdown.markdown(escape(text), extensions=["attr_list", "md_in_html", "tables"])
    assert html.unescape(re.sub(r"<[^>]*>", "", shown)) == text


def test_commands_and_tables_of_a_comment_stay_as_they_are():
    said = comment("A question?\n  convexp-train model=conv\nThen * prose\n  a   1\n  b   2")
    assert said == "A question?\n\n```text\nconvexp-train model=conv\n```\n\nThen &#42; prose\n\n```text\na   1\nb   2\n```"
