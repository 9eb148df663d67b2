"""convexp-report, as it is called: what it says, what it writes, and what it says where it cannot."""

import csv
import json
import shutil

import pytest
from fabricated_runs import kept, planned, run, with_path

from convexp.records.plan import write_plan

HOSTILE = '</script><img src=x onerror=alert(1)>|$\\input{/etc/passwd}%\x1b[31m\ud800"'


@pytest.fixture
def study(tmp_path):
    """Three models, three seeds, a plan that compares with conv; one run failed, one was never started."""
    made = [with_path(f"{m}-{s}", run(s, m)) for m in ("dense", "local", "conv") for s in range(3)]
    points = [(r, {"model": r["config"]["model"]["name"], "seed": r["seed"]}) for r in made]
    plan = planned({"model": ["dense", "local", "conv"], "seed": [0, 1, 2]}, *points, model="conv")
    kept(tmp_path / "study", {**made[0], "state": "failed", "error": "Traceback\nValueError: no luck"}, *made[1:-1])
    write_plan(tmp_path / "study", plan)
    return tmp_path / "study"


def test_it_says_and_writes_everything(program, study, tmp_path):
    done = program("report", "study", cwd=tmp_path)
    assert done.code == 0, done.err
    for words in (
        "Which?",
        "parameters",
        "no difference shown",
        "test accuracy",
        "dense-0: failed, ValueError: no luck",
        "conv-2: missing",
    ):
        assert words in done.out
    lines = done.out.splitlines()
    table = [line.split()[0] for line in lines[4:7]]
    assert table == ["dense", "local", "conv"]  # the order of the grid
    written = {file.name for file in study.iterdir() if file.is_file()} - {"study.json", ".study.lock", ".dashboard.lock"}
    written -= {"events.out.tfevents.0000000001.front"}  # for TensorBoard, beside the means in a folder of their own
    assert (study / "mean over seeds" / "dense").is_dir()
    assert written == {"report.html", "summary.md", "summary.csv", "summary.tex", "runs.csv", "comparisons.csv"}
    assert all(name in done.out for name in written)
    with (study / "comparisons.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {(row["label"], row["baseline"]) for row in rows} == {("dense", "conv"), ("local", "conv")}
    assert [row["n"] for row in rows[:2]] == ["1", "2"]
    text = (study / "summary.md").read_text()
    for part in (
        "# Which?",
        "| dense | 1,234,567 | 2 |",
        "## Comparisons",
        "- dense-0: failed, ValueError: no luck",
        "- conv-2: missing",
    ):
        assert part in text
    with (study / "runs.csv").open() as file:
        assert [row["state"] for row in csv.DictReader(file)].count("failed") == 1


def test_the_same_folder_gives_the_same_tables(call, study):
    names = ("summary.md", "summary.csv", "summary.tex", "runs.csv", "comparisons.csv")
    assert call("report", str(study)).code == 0
    first = [(study / name).read_bytes() for name in names]
    assert call("report", str(study)).code == 0
    assert [(study / name).read_bytes() for name in names] == first


def test_neither_help_nor_an_error_nor_a_report_needs_torch(program, study, tmp_path):
    lib = tmp_path / "lib"
    lib.mkdir()
    for name in ("torch", "pytorch_lightning", "hydra", "pandas", "scipy"):
        (lib / f"{name}.py").write_text("raise SystemExit('an import too many')")
    for arguments, code in ((("--help",), 0), (("none",), 2), (("study",), 0)):
        done = program("report", *arguments, cwd=tmp_path, fresh=True, PYTHONPATH=str(lib))
        assert done.code == code, done.err


def test_help_and_errors_import_nothing_heavy(program, tmp_path):
    (tmp_path / "numpy.py").write_text("raise SystemExit('an import too many')")
    (tmp_path / "matplotlib.py").write_text("raise SystemExit('an import too many')")
    done = program("report", "--help", cwd=tmp_path, fresh=True, PYTHONPATH=str(tmp_path))
    assert done.code == 0
    for words in ("usage: convexp-report", "example", "report.html", "outputs/studies/three_layers", "seed"):
        assert words in done.out
    assert program("report", "none", cwd=tmp_path, fresh=True, PYTHONPATH=str(tmp_path)).code == 2


@pytest.mark.parametrize(
    ("prepare", "said"),
    [
        (lambda folder: None, "there is no such folder"),
        (lambda folder: folder.mkdir(), "there are no runs of convexp in this folder"),
        (lambda folder: folder.write_text("text"), "is a file"),
        (lambda folder: (folder / "a" / "b").mkdir(parents=True), "there are no runs of convexp in this folder"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(call, tmp_path, prepare, said):
    prepare(tmp_path / "dir")
    done = call("report", "dir")
    assert (done.code, done.out) == (2, "")
    assert len(done.err.splitlines()) == 1
    assert done.err.startswith("convexp-report: dir")
    assert said in done.err


def test_a_folder_that_cannot_be_written_to_is_one_line_after_the_table(call, study):
    (study / "summary.md").mkdir()  # as good as a full disk, also for root
    done = call("report", str(study))
    assert done.code == 2
    assert "dense" in done.out
    assert len(done.err.splitlines()) == 1
    assert "cannot be written" in done.err
    assert not list(study.glob("*.partial*"))


def test_a_folder_with_nothing_finished_says_why(call, tmp_path):
    kept(tmp_path / "dir", {**run(0), "state": "failed", "error": "no luck"})
    done = call("report", "dir")
    assert done.code == 0, done.err
    assert "conv-seed0: failed, no luck" in done.out
    assert "conv-seed0: failed" in (tmp_path / "dir" / "summary.md").read_text()


@pytest.mark.parametrize(
    "content", ["[]", "{", '{"format": 1}', '{"format": 1, "name": 1, "question": 2, "axes": [], "compare": 3, "runs": []}']
)
def test_a_damaged_plan_is_no_plan(call, tmp_path, content):
    kept(tmp_path / "dir", run(0), run(0, "local"))
    (tmp_path / "dir" / "study.json").write_text(content)
    done = call("report", "dir")
    assert done.code == 0, done.err
    assert "local" in done.out


def test_a_plan_of_a_newer_convexp_is_said_and_done_without(call, tmp_path):
    kept(tmp_path / "dir", run(0), run(0, "local"))
    (tmp_path / "dir" / "study.json").write_text('{"format": 99}')
    done = call("report", "dir")
    assert done.code == 0, done.err
    assert "study.json: is of format 99, this convexp reads 1; upgrade convexp" in done.out
    assert "local" in done.out


def test_mixed_runs_are_reported_with_what_they_lack(call, tmp_path):
    costs = [with_path(f"cost{s}", {**run(s, "local"), "metrics": {"cost/flops": 7.0}, "probes": {}}) for s in range(2)]
    bare = with_path("bare", {**run(2), "metrics": {"test/acc": 0.9}, "probes": {}})
    kept(tmp_path / "dir", run(0), run(1), bare, *costs)
    done = call("report", "dir")
    assert done.code == 0, done.err
    assert "—" in done.out
    assert "(n = 2)" in done.out
    assert "2 runs have no test/acc, which other runs have: cost0, cost1" in done.out
    assert "no cost/flops" in done.out
    assert "2 runs have no test/acc" in (tmp_path / "dir" / "summary.md").read_text()


def test_hostile_texts_do_nothing(call, tmp_path):
    made = run(0)
    made["config"]["model"]["name"] = HOSTILE
    made["config"]["study"] = {"name": HOSTILE, "question": HOSTILE}
    failed = {**run(1), "state": "failed", "error": HOSTILE, "path": "failed"}
    root = kept(tmp_path / "dir", made, run(1), {**failed, "config": made["config"]})
    done = call("report", "dir")
    assert done.code == 0, done.err
    assert "\x1b" not in done.out
    for name in ("summary.md", "summary.csv", "summary.tex", "runs.csv", "report.html"):
        text = (root / name).read_text(encoding="utf-8")
        assert "\x1b" not in text
        if name.endswith(("md", "html")):
            assert "<img" not in text
        if name.endswith("tex"):
            assert "\\input" not in text.partition("\n\\begin")[2]


@pytest.mark.integration
def test_a_real_study_as_it_was_before_there_were_plans(call, small_run, tmp_path):
    for seed in (0, 1):
        for model in ("conv", "local"):
            small_run(f"seed={seed}", f"model={model}", folder=f"runs/{model}{seed}")
    done = call("report", "runs")
    assert done.code == 0, done.err
    values = [
        json.loads((tmp_path / "runs" / f"conv{seed}" / "result.json").read_text())["metrics"]["test/acc"] for seed in (0, 1)
    ]
    with (tmp_path / "runs" / "summary.csv").open() as file:
        rows = {row["wiring"]: row for row in csv.DictReader(file)}
    assert list(rows) == ["conv", "local"]
    assert float(rows["conv"]["test/acc mean"]) == pytest.approx(sum(values) / 2)
    shutil.rmtree(tmp_path / "runs" / "conv1")
    assert call("report", "runs").code == 0
    with (tmp_path / "runs" / "summary.csv").open() as file:
        assert next(csv.DictReader(file))["n"] == "1"


def test_many_unfinished_runs_are_counted_on_the_terminal_and_listed_in_the_file(call, tmp_path):
    kept(tmp_path / "dir", *(with_path(f"r{i:02}", {**run(i), "state": "failed", "error": "no luck"}) for i in range(30)))
    done = call("report", "dir")
    assert done.out.count("no luck") == 20
    assert "and 10 unfinished runs more, in summary.md" in done.out
    assert (tmp_path / "dir" / "summary.md").read_text().count("no luck") == 30
