"""What benchmarks have measured is stored through one module, and the pages say what the files say."""

import ast
import json
from statistics import median

import pytest
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st

SCRIPTS = ROOT / "scripts"
MACHINE = {"processor": "A (R) B 3", "cores": 2, "card": ""}


@pytest.fixture
def results(monkeypatch):
    monkeypatch.syspath_prepend(SCRIPTS)
    import results

    return results


@pytest.mark.parametrize("script", [*sorted(SCRIPTS.glob("bench_*.py")), SCRIPTS / "gpu_check.py"], ids=lambda file: file.stem)
def test_every_benchmark_stores_what_it_measured(script):
    calls = [node for node in ast.walk(ast.parse(script.read_text())) if isinstance(node, ast.Call)]
    stored = [call for call in calls if ast.unparse(call.func) == "store"]
    assert stored
    assert all(ast.unparse(call.args[0]) == "__file__" for call in stored)


def test_the_pages_are_what_the_files_give(monkeypatch):
    monkeypatch.syspath_prepend(SCRIPTS)
    from results_page import DOCS, pages

    drawn = pages(DOCS)
    assert [file.name for file in drawn] == ["benchmarks.md", "gpu.md"]
    for file, text in drawn.items():
        assert file.read_text(encoding="utf-8") == text, "python scripts/results_page.py"
    stored = [json.loads(file.read_text()) for file in (DOCS / "benchmarks").glob("*.json")]
    rows = [row for each in stored for result in each["results"] for row in result["rows"]]
    assert rows
    text = "".join(drawn.values())
    assert all(f"| {row['name']} | {row['figure']:.4g} {row['unit']} |" in text for row in rows)


def test_files_hold_sound_figures_of_scripts_that_exist(results):
    for file in (ROOT / "docs" / "benchmarks").glob("*.json"):
        stored = json.loads(file.read_text())
        assert file.stem == results.file_name(stored["machine"])
        for result in stored["results"]:
            assert (ROOT / result["command"].split()[1]).is_file()
            assert all(result[what] for what in ("date", "commit", "versions", "rows"))
            for row in result["rows"]:
                assert row["n"] >= 1
                assert row["min"] <= row["figure"] <= row["max"]


def test_a_command_replaces_what_it_stored_before_and_nothing_else(results, tmp_path):
    def put(line, value):
        rows = [vars(results.figure("a", [value], "s"))]
        results.put(tmp_path, MACHINE, {"command": line, "rows": rows})

    put("b", 1.0)
    put("a", 2.0)
    put("b", 3.0)
    (file,) = tmp_path.iterdir()
    assert file.name == "a_r_b_3_2_cores.json"
    written = json.loads(file.read_text())
    assert written["machine"] == MACHINE
    assert [(each["command"], each["rows"][0]["figure"]) for each in written["results"]] == [("a", 2.0), ("b", 3.0)]


def test_nothing_is_written_unless_a_folder_is_named(results, tmp_path, monkeypatch):
    monkeypatch.delenv(results.FOLDER, raising=False)
    monkeypatch.setattr("sys.argv", ["/somewhere/bench_x.py", "--out", "/private", "--rounds", "2", "--out=/private", "a b"])
    monkeypatch.setattr(results, "machine", lambda: MACHINE)
    monkeypatch.setattr(results, "said_by", lambda *line: "of a test")
    results.store("/somewhere/bench_x.py", [results.figure("a", [1.0], "s")])
    assert not any(tmp_path.iterdir())
    monkeypatch.setenv(results.FOLDER, str(tmp_path / "new"))
    results.store("/somewhere/bench_x.py", [results.figure("a", [1.0], "s")])
    (result,) = json.loads(next((tmp_path / "new").iterdir()).read_text())["results"]
    assert result["command"] == "python scripts/bench_x.py --rounds 2 'a b'"


@given(st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=9))
def test_ratios_are_taken_round_by_round(values):
    import sys

    sys.path.insert(0, str(SCRIPTS))
    try:
        import results
    finally:
        sys.path.remove(str(SCRIPTS))
    (ratio,) = results.ratios({"a": [2 * value for value in values], "base": values}, "base")
    assert (ratio.name, ratio.n, ratio.unit) == ("a / base", len(values), "x")
    assert ratio.min == ratio.figure == ratio.max == pytest.approx(2)
    own = results.figure("a", values, "s")
    assert (own.figure, own.min, own.max) == (median(values), min(values), max(values))
