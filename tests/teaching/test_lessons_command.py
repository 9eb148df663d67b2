"""``convexp-lessons``: lessons that fail beside those that do not, notebooks that somebody has edited, and wrong arguments."""

import sys

import nbformat
import pytest

GOOD = """# %% [markdown]
# # 1. A lesson with $n < 2$
#
# It says what it knows. <script>alert(1)</script>

# %%
from tqdm import tqdm

from convexp.teaching import given_run

list(tqdm([1]))
print("the run is", given_run(), "<b>&")
"""
BAD = """# %% [markdown]
# # 2. A lesson that is wrong

# %%
one = 1

# %%
def check(a, b):
    assert a == b, f"{a} is not {b}"


assert one == 1
check(one, 2)

# %%
never = "reached"
"""
DEAD = """# %% [markdown]
# # 3. A lesson whose process ends

# %%
import os

os._exit(3)
"""


@pytest.fixture
def scripts(tmp_path, monkeypatch):
    """A folder of three lessons, in the place of convexp's own."""
    folder = tmp_path / "scripts"
    folder.mkdir()
    for name, text in (("01_good", GOOD), ("02_bad", BAD), ("03_dead", DEAD)):
        (folder / f"{name}.py").write_text(text)
    (folder / "notes.py").write_text("no lesson")
    monkeypatch.setattr("convexp.cli.lessons.lessons_folder", lambda: folder)
    return folder


@pytest.fixture
def run_folder(tmp_path):
    """What ``run=`` takes for a run: it only looks whether there is a checkpoint."""
    checkpoint = tmp_path / "trained" / "checkpoints" / "best.ckpt"
    checkpoint.parent.mkdir(parents=True)
    checkpoint.touch()
    return tmp_path / "trained"


@pytest.mark.e2e
def test_a_lesson_that_fails_is_named_with_its_cell_and_stops_no_other(call, scripts, run_folder, tmp_path):
    done = call("lessons", "run=trained")
    assert done.code == 1
    assert "02_bad: code cell 2 (line 9 of 02_bad.py) failed: AssertionError: 1 is not 2 in assert a == b, " in done.err
    assert "03_dead: code cell 1 (line 5 of 03_dead.py) failed: its process has ended" in done.err
    assert done.err.count("convexp-lessons: ") == 2, done.err
    folder = tmp_path / "outputs" / "lessons"
    assert sorted(file.name for file in folder.rglob("*") if file.is_file()) == [
        "01_good.ipynb", "02_bad.ipynb", "03_dead.ipynb", "index.html",
    ]  # fmt: skip
    for file in (folder / "notebooks").iterdir():
        nbformat.validate(nbformat.read(file, as_version=4))
    page = (folder / "index.html").read_text()
    assert f"the run is {run_folder} &lt;b&gt;&amp;" in page
    assert "<script" not in page
    assert page.count("This lesson failed.") == 2
    assert "None of the 0 assertions on this page failed" in page

    good = (folder / "notebooks" / "01_good.ipynb").read_bytes()
    assert b"stderr" not in good  # as a progress bar would have written
    (scripts / "02_bad.py").write_text(BAD.replace("check(one, 2)", "check(one, 1)"))
    assert call("lessons", "bad").code == 0
    again = (folder / "index.html").read_text()
    assert (folder / "notebooks" / "01_good.ipynb").read_bytes() == good  # it did not run again, and is in the page
    assert f"the run is {run_folder}" in again
    assert "This lesson failed." not in again
    assert "03_dead" not in again
    assert "None of the 2 assertions on this page failed" in again


@pytest.mark.integration
def test_notebooks_for_a_classroom_run_nothing_and_replace_nobodys_work(call, scripts, tmp_path):
    assert call("lessons", "--notebooks", "--output", "classroom").code == 0
    folder = tmp_path / "classroom" / "notebooks"
    file = folder / "02_bad.ipynb"
    first = {each.name: each.read_bytes() for each in folder.iterdir()}
    notebook = nbformat.read(file, as_version=4)
    nbformat.validate(notebook)
    assert [cell.cell_type for cell in notebook.cells] == ["markdown", "code", "code", "code"]
    assert not any(cell.outputs or cell.execution_count for cell in notebook.cells if cell.cell_type == "code")
    notebook.cells[1].source += "\nmine = 2"
    nbformat.write(notebook, file)
    (folder / "03_dead.ipynb").write_text("{ damaged")
    done = call("lessons", "--notebooks", "--output", "classroom")
    assert {each.name: each.read_bytes() for each in folder.iterdir() if "edited" not in each.name} == first
    assert "mine = 2" in (folder / "02_bad.edited.ipynb").read_text()
    assert (folder / "03_dead.edited.ipynb").read_text() == "{ damaged"
    assert "kept: classroom/notebooks/02_bad.edited.ipynb" in done.out
    assert not (tmp_path / "outputs").exists()
    assert "edited" not in call("lessons", "--notebooks", "--output", "classroom").out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("godo",), "godo: there is no such lesson; did you mean good?"),
        (("7",), "7: there is no such lesson; there are good, bad, dead"),
        (("runn=trained",), "runn=trained: there is no such setting; the only one is run=DIR"),
        (("run=a", "run=b"), "run=a run=b: should be given once"),
        (("run=",), "run='': is empty"),
        (("run=missing",), "run=missing: there is no such folder"),
        (("run=scripts",), "run=scripts: has no checkpoints/best.ckpt"),
        (("bad", "run=trained"), "run=trained: makes no difference, as no lesson of bad looks into a run"),
        (("run=trained", "--notebooks"), "run=trained: makes no difference to --notebooks"),
        (("--jobs", "0"), "--jobs 0: should be 1 or more"),
        (("--output", "scripts/01_good.py"), "--output scripts/01_good.py: "),
    ],
)
def test_a_wrong_argument_is_told_in_one_line(call, scripts, run_folder, tmp_path, arguments, words):
    done = call("lessons", *arguments)
    assert done.code == 2
    assert done.err.startswith(f"convexp-lessons: {words}")
    assert len(done.err.splitlines()) == 1
    assert {file.name for file in tmp_path.iterdir()} == {"scripts", "trained"}


def test_what_is_not_installed_is_named(call, scripts, monkeypatch):
    monkeypatch.setattr("convexp.cli.lessons.find_spec", lambda module: None if module == "markdown_it" else module)
    done = call("lessons", "good")
    assert done.code == 2
    assert done.err == "convexp-lessons: markdown-it-py: not installed; pip install 'convexp[lessons]'\n"


def test_a_formula_that_cannot_be_shown_is_told_before_anything_runs(call, scripts, tmp_path):
    (scripts / "01_good.py").write_text(GOOD.replace("n < 2", r"\undefined{n}"))
    done = call("lessons")
    assert done.code == 1
    assert "01_good" in done.err
    assert r"\undefined" in done.err
    assert not (tmp_path / "outputs" / "lessons" / "notebooks").exists()


def test_help_lists_the_lessons(call, scripts):
    done = call("lessons", "--help")
    assert done.code == 0
    assert "   2  bad                             A lesson that is wrong\n" in done.out


def test_a_lesson_as_a_script_refuses_a_folder_without_a_checkpoint(monkeypatch, capsys, tmp_path):
    from convexp.teaching import given_run

    monkeypatch.setattr(sys, "argv", ["11_lesson.py", f"run={tmp_path}"])
    with pytest.raises(SystemExit) as stop:
        given_run()
    assert stop.value.code == 2
    assert capsys.readouterr().err.startswith(f"11_lesson.py: run={tmp_path}: has no checkpoints/best.ckpt")
    monkeypatch.setattr(sys, "argv", ["11_lesson.py"])
    assert given_run() is None


def test_stored_results_are_only_used_for_the_same_cells(scripts, tmp_path):
    from convexp.teaching.catalogue import all_lessons
    from convexp.teaching.notebooks import mark_finished, new_notebook, stored_notebook

    lesson, file = all_lessons(scripts)[0], tmp_path / "one.ipynb"
    assert stored_notebook(lesson, file) is None
    notebook = new_notebook(lesson)
    nbformat.write(notebook, file)
    assert stored_notebook(lesson, file) is None  # it never ran
    mark_finished(notebook)
    nbformat.write(notebook, file)
    assert stored_notebook(lesson, file) == nbformat.read(file, as_version=4)
    notebook.cells[1].outputs = [nbformat.v4.new_output("error")]  # somebody ran it again
    nbformat.write(notebook, file)
    assert stored_notebook(lesson, file) is None
    notebook.cells[1].outputs = []
    nbformat.write(notebook, file)
    lesson.file.write_text(GOOD + "more = 1\n")
    assert stored_notebook(lesson, file) is None
