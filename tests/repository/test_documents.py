"""The documents agree with the repository: sections, rooms, files and code that they name exist, and the code runs."""

import importlib
import re
import tomllib

import pytest
import torch
import yaml
from conftest import ROOT
from newcomer import sections

from convexp import __version__

DESIGN = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
LINTER = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
ROOMS = {folder.name for folder in (ROOT / "convexp").iterdir() if (folder / "__init__.py").is_file()}
TABLE = dict(re.findall(r"^\| `convexp/(\w+)/` \|.*\| ([\w ]+) \|$", DESIGN, re.MULTILINE))  # room: torch
DOCUMENTS = sorted({*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")} - {ROOT / "CHANGELOG.md"})  # that names what was
OWN = re.compile(r"\bmine\b|/local/|^conf/local")  # files that a user adds


def contract(name):
    (found,) = [contract for contract in LINTER if contract["name"] == name]
    return found


def texts():
    for folder in ("convexp", "conf", "hydra_plugins", "scripts", "tests"):
        for file in (ROOT / folder).rglob("*"):
            if file.suffix in (".py", ".yaml", ".j2", ".sh") and file.name != "test_documents.py":
                yield file.relative_to(ROOT), file.read_text(encoding="utf-8")


def test_every_citation_names_a_section_that_exists():
    sections = set(re.findall(r"^## (\d)\. ", DESIGN, re.MULTILINE))
    assert sections == {"1", "2", "3", "4", "5"}
    cited = {(str(file), match) for file, text in texts() for match in re.findall(r"[^\s\"]*design\.md(?!\")[^.;:)\n]*", text)}
    assert len(cited) >= 10
    wrong = [where for where in cited if not re.fullmatch(r"\(?docs/design\.md, section [1-5].*", where[1])]
    assert wrong == []


def test_every_room_is_described_and_every_room_described_exists():
    assert set(TABLE) == ROOMS
    named = set(re.findall(r"convexp/(\w+)/", DESIGN))
    assert named == ROOMS


def test_the_rooms_stand_in_the_order_of_imports():
    level = {
        room: depth for depth, line in enumerate(contract("Rooms import downwards")["layers"]) for room in line.split(" | ")
    }
    depths = [level[room] for room in TABLE]
    assert depths == sorted(depths)


def test_rooms_without_torch_are_those_that_the_linter_holds():
    held = {module.removeprefix("convexp.") for module in contract("Rooms without torch")["source_modules"]}
    assert {room for room, torch_ in TABLE.items() if torch_ == "no torch"} == held


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda file: file.name)
def test_files_that_a_document_names_exist(document):
    text = document.read_text(encoding="utf-8")
    named = re.findall(r"(?<![\w./-])((?:convexp|conf|docs|scripts|tests|hydra_plugins)/[\w./-]*\w/?)", text)
    named += [
        str((document.parent / link).resolve().relative_to(ROOT)) for link in re.findall(r"\]\((?!https?:)([\w./-]+)", text)
    ]
    written = {block.file for blocks in sections(document).values() for block in blocks}  # by a reader, as the page says
    assert [path for path in named if path not in written and not OWN.search(path) and not (ROOT / path).exists()] == []


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 110


def test_modules_that_the_changelog_names_as_new_exist():
    rows = re.findall(r"^\| `.*\| (`convexp.*`) \|$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(rows) > 20
    for name in re.findall(r"`(convexp\.[\w.]+)`", " ".join(rows)):
        importlib.import_module(name)


def test_the_citation_is_of_this_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == __version__
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()


def test_python_of_the_design_runs():
    names: dict[str, object] = {}
    blocks = re.findall(r"^```python\n(.*?)^```", DESIGN, re.MULTILINE | re.DOTALL)
    assert len(blocks) >= 8
    try:
        with torch.random.fork_rng(devices=[]):
            for block in blocks:
                exec(compile(block, "docs/design.md", "exec"), names)
    finally:
        torch.set_grad_enabled(True)
