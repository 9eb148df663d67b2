"""The table of docs/literature.md is what claims and results give, and every claim can be measured by its study."""

import re
import shlex
import shutil

import pytest
from conftest import ROOT
from fabricated_runs import kept, run
from msgspec.structs import replace

from convexp.config.command_line.parse import parse_command_line
from convexp.config.options import description, list_options
from convexp.config.schema.claim import MEMBERS
from convexp.errors import ConfigError
from convexp.records.plan import Plan, PlannedRun, single_settings, write_plan
from convexp.reporting.report import build_report
from convexp.studies.study import expand, read_study

FILES = sorted((ROOT / "conf" / "study" / "paper").glob("*.yaml"))


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "scripts")
    import literature_page

    return literature_page


def commands(file):
    lines = [line.strip() for line in description(file)]
    return [shlex.split(line)[1:] for line in lines if line.startswith("convexp-train")]


def points(arguments):
    study = read_study(parse_command_line(arguments[:1]).compose("train"))
    overrides = [each for each in arguments if not each.startswith(("study", "hydra."))]
    found = expand(study, overrides).points
    return study, [single_settings({axis.key: axis.value(row) for axis, row in point}) for point in found]


def test_the_page_is_what_claims_and_results_give(script):
    text = script.PAGE.read_text(encoding="utf-8")
    assert script.page(text, script.papers(), script.RESULTS) == text, "python scripts/literature_page.py"
    rows = list(script.table(script.papers(), script.RESULTS))[2:]
    assert len(rows) == sum(len(each.claims) for each in script.papers())
    assert all(row in text for row in rows)


def test_results_are_of_studies_that_claims_are_about(script):
    studies = {each.study for each in script.papers()}
    assert {file.stem for file in script.RESULTS.glob("*.json")} <= studies
    for study in studies:
        assert all(run.minutes > 0 and run.metrics for run in script.read(study, script.RESULTS))


def test_results_are_kept_as_they_were(script, tmp_path):
    run = script.Result(settings={"model": "conv", "a": [1, 2]}, seed=3, metrics={"test/acc": 0.1}, minutes=2.5, images="a b")
    kept = script.StudyResults(study="x", versions={"torch": ["2"]}, commits=["c"], processors=["p"], runs=[run, run])
    (tmp_path / "x.json").write_text(script.written(kept))
    assert script.read("x", tmp_path) == [run, run]
    assert script.read("y", tmp_path) == []


@pytest.fixture
def finished(tmp_path):
    """The folder of ``study=paper/kayhan``, whose runs are finished, and a function that changes the plan."""
    _, found = points(["study=paper/kayhan"])
    made = [run(seed, model="conv") for seed in range(len(found))]
    for each in made:
        each["metrics"] = {"probe/absolute_position/accuracy_own": 0.5, "test/acc": 0.9}
    folder = kept(tmp_path / "paper_kayhan", *made)
    planned = [
        PlannedRun(each["path"], each["identity"], point | {"seed": each["seed"]})
        for each, point in zip(made, found, strict=True)
    ]
    plan = Plan("paper_kayhan", "?", {"seed": [*range(len(found))]}, {}, planned, ["-m", "study=paper/kayhan"])

    def change(**changes):
        write_plan(folder, replace(plan, **changes))
        return build_report(folder)

    return folder, change


@pytest.mark.parametrize(
    "more",
    [[], ["hydra.launcher.processes=2", "hydra/launcher=slurm", "outputs=elsewhere", "reuse=true", "on_failure=stop"]],
    ids=["as_it_is", "started_in_another_way"],
)
def test_results_of_an_unchanged_study_are_kept(more, finished, script, tmp_path):
    _, change = finished
    file = script.keep(change(command=["-m", "study=paper/kayhan", *more]), tmp_path)
    assert file.name == "paper_kayhan.json"
    result = script.read("paper_kayhan", tmp_path)[3]
    assert result.metrics == {"probe/absolute_position/accuracy_own": 0.5}  # what a claim is about, and nothing else
    assert result.seed == 3
    assert result.minutes == pytest.approx(0.1)  # of one core: 3 s with 2 threads


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"command": ["-m", "study=paper/kayhan", "trainer.max_epochs=1"]},
            "with trainer.max_epochs=1, which is not the study",
        ),
        ({"command": ["-m", "study=paper/kayhan", "seed=0", "optimizer=sgd"]}, "with seed=0 optimizer=sgd, which"),
        ({"command": ["-m", "study=paper/kayhan", "hydra.sweeper.n=1"]}, "with hydra.sweeper.n=1, which"),
        ({"command": ["-m", "study=border"]}, "with study=border, which"),
        ({"command": ["-m"]}, "was not run by study=paper/kayhan"),
        ({"runs": [PlannedRun("conv-seed3", "3", {})]}, r"has 1 runs, and study=paper/kayhan \d+; start it in a folder"),
        ({"name": "another"}, "no claim of conf/study/paper is about this"),
    ],
    ids=["a_setting", "seeds", "the_sweeper", "another_study", "no_study", "fewer_runs", "no_paper"],
)
def test_results_of_a_changed_study_are_refused_in_one_line(changes, said, finished, script, tmp_path):
    folder, change = finished
    report = change(**changes)
    with pytest.raises(ConfigError, match=said) as raised:
        script.keep(report, tmp_path / "kept")
    assert str(raised.value).startswith(f"{folder}: ")
    assert "\n" not in str(raised.value)
    assert not (tmp_path / "kept").exists()


def test_results_of_a_study_that_is_not_finished_are_refused(finished, script, tmp_path):
    folder, change = finished
    shutil.rmtree(folder / "conv-seed3")
    with pytest.raises(ConfigError, match="1 run of paper_kayhan did not finish; start it again"):
        script.keep(change(), tmp_path / "kept")
    assert not (tmp_path / "kept").exists()


def test_the_page_keeps_what_is_around_its_table(script, tmp_path):
    before = f"a\n{script.BEGIN}\nold\n{script.END}\nb\n"
    after = script.page(before, script.papers(), tmp_path)
    assert after.startswith(f"a\n{script.BEGIN}\n")
    assert after.endswith(f"{script.END}\nb\n")
    assert "| old" not in after
    assert re.search(r"\| not run \| `convexp-train study=paper/\w+` \| — \|$", after, re.MULTILINE)
    assert script.page(after, script.papers(), tmp_path) == after


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_claim_is_about_runs_of_its_study(file, script):
    """A setting or a value that is misspelt would leave the row ``not run`` for ever."""
    whole, *_ = commands(file)
    study, grid = points(whole)
    sizes = {settings.get(MEMBERS) for claim in study.claims for settings in (claim.of, claim.minus or {}, *claim.cases)}
    grid += [point | {MEMBERS: size} for point in grid for size in sizes if size]  # ensembles, as convexp-eval makes them
    assert study.claims == script.paper(ROOT / "conf", file.stem).claims
    for claim in study.claims:
        for case in claim.cases:
            assert any((claim.of | case).items() <= point.items() for point in grid), (claim.says, case)
            minus = [point for point in grid if (claim.minus or {}).items() <= point.items()]
            assert any({**point, **case} == point or not case.keys() <= point.keys() for point in minus), (claim.says, case)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_study_can_be_run_in_small(file):
    (whole, small) = commands(file)
    assert whole[0] == small[0] == f"study=paper/{file.stem}"
    assert small[1] == f"study.name={file.stem}_small"  # apart from the runs that count
    (_, all_points), (_, few) = points(whole), points(small)
    assert 1 <= len(few) < len(all_points)
    assert any(word.startswith("trainer.max_epochs=") for word in small)


def test_options_in_folders_are_options_of_the_group():
    assert {f"paper/{file.stem}" for file in FILES} <= set(list_options("study"))
    assert list_options("hydra") == []
