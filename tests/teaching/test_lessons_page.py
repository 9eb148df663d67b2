"""All lessons, run once as notebooks by the command, and their page in a real browser."""

import re
import subprocess
import sys

import nbformat
import pytest
from browser import watch
from conftest import ROOT
from shared import made_once

SCRIPTS = sorted((ROOT / "scripts" / "lessons").glob("*.py"))
FORMULA = re.compile(r"\$\$.+?\$\$|\$[^$]+\$", re.DOTALL)
CODE = re.compile(r"`[^`]*`")
PHONE, DESKTOP = 390, 1400


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The folder that the command wrote to, when all lessons ran."""

    def make(folder):
        command = [sys.executable, "-m", "convexp.lessons", "--output", "lessons"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=1500, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        assert {file.name for file in folder.iterdir()} == {"lessons"}

    return made_once(tmp_path_factory, "lessons", make) / "lessons"


@pytest.fixture(scope="module")
def notebooks(made):
    files = sorted((made / "notebooks").glob("*.ipynb"))
    assert [file.stem for file in files] == [file.stem for file in SCRIPTS]
    return [nbformat.read(file, as_version=4) for file in files]


@pytest.mark.e2e
def test_notebooks_are_valid_and_every_cell_ran_without_a_warning(notebooks):
    for notebook in notebooks:
        nbformat.validate(notebook)
        cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
        outputs = [output for cell in cells for output in cell.outputs]
        assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
        assert any("image/" in str(output.get("data")) for output in outputs)
        wrong = [output for output in outputs if output.output_type == "error" or output.get("name") == "stderr"]
        assert wrong == [], notebook.metadata


def test_every_formula_and_picture_can_be_seen(made, notebooks, browser_page):
    page = opened(made, browser_page, DESKTOP)
    texts = [CODE.sub("", cell.source) for notebook in notebooks for cell in notebook.cells if cell.cell_type == "markdown"]
    formulas = page.locator("main math")
    assert formulas.count() == sum(len(FORMULA.findall(text)) for text in texts)
    unseen = "all => all.filter(each => !each.closest('details') && !each.getBoundingClientRect().width).length"
    assert formulas.evaluate_all(unseen) == 0
    words = page.evaluate(
        "[...document.querySelectorAll('.text')].map(text => { const copy = text.cloneNode(true);"
        " copy.querySelectorAll('code').forEach(code => code.remove()); return copy.textContent; })"
    )
    assert [text for text in words if "$" in text or "**" in text or "\\" in text] == []
    unnamed = "all => all.filter(svg => (svg.closest('[role=img]')?.ariaLabel ?? '').length < 20).length"
    assert page.locator(".picture svg").evaluate_all(unnamed) == 0
    assert page.locator(".picture figcaption").evaluate_all("all => all.filter(each => each.innerText.length < 10).length") == 0
    assert page.locator("main article").count() == len(notebooks) <= page.locator("main .picture").count()


def test_page_stands_alone_and_no_two_of_its_elements_share_an_id(made, browser_page):
    seen = watch(browser_page)
    page = opened(made, browser_page, DESKTOP)
    assert seen.errors == []
    assert seen.requests == [page.url]
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map(each => each.id)")
    assert len(ids) == len(set(ids))
    for link in page.evaluate("[...document.querySelectorAll('a[href]')].map(each => each.getAttribute('href'))"):
        found = link[1:] in ids if link.startswith("#") else (made / link).is_file()
        assert found or link.startswith("https://"), link


def test_page_fits_a_phone(made, browser_page):
    page = opened(made, browser_page, PHONE)
    for opens in (False, True):
        page.evaluate("opens => document.querySelectorAll('details').forEach(each => { each.open = opens; })", opens)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE


def test_steps_are_taken_by_arrow_keys_one_group_at_a_time(made, browser_page):
    page = opened(made, browser_page, DESKTOP)
    groups = page.locator(".steps").all()
    assert groups
    visible = "all => all.map(each => each.checkVisibility())"
    for group in groups:
        steps = group.locator(".step")
        first, *others = steps.evaluate_all(visible)
        assert first
        assert others
        assert not any(others)
        group.locator("input").first.focus()
        page.keyboard.press("ArrowRight")
        assert steps.evaluate_all(visible) == [False, True, *others[1:]]
        assert group.locator("label").nth(1).evaluate("label => label.control.checked")
    assert page.locator(".steps input:checked").count() == len(groups)


def opened(made, page, width):
    page.set_viewport_size({"width": width, "height": 900})
    page.goto((made / "index.html").as_uri())
    return page
