"""Where the numbers come from, what is not alike, and what is missing."""

import pytest
from fabricated_runs import kept, planned, records, run, with_path
from filelock import FileLock

from convexp.records import collect
from convexp.records.plan import Plan, PlannedRun
from convexp.reporting.groups import drop_duplicates
from convexp.reporting.provenance import provenance
from convexp.reporting.unfinished import unfinished
from convexp.reporting.warnings import find_warnings


def warned(*runs, plan=None):
    counted, duplicates = drop_duplicates(records(runs), plan)
    return find_warnings(counted, duplicates, plan)


def test_settings_are_parted_into_those_that_differ_and_those_that_do_not():
    found = provenance(records([run(0), run(1), run(0, "local")]), [])
    settings = dict(found.settings)
    assert settings["model.name"] == [("conv", ["conv-seed0", "conv-seed1"]), ("local", ["local-seed0"])]
    assert settings["seed"] == [("0", ["conv-seed0", "local-seed0"]), ("1", ["conv-seed1"])]
    assert found.common["optimizer.lr"] == "0.01"
    assert found.common["data.train_size"] == "null"
    assert not {*found.common} & {*settings}
    assert not {"name", "outputs", "study"} & {*found.common, *settings}


def test_losses_of_runs_that_do_not_say_what_they_are_may_be_means_over_batches():
    short = run(0, data__eval_batch_size=512) | {"data": {"val": 512, "test": 513}}
    for alike in ({"val": 512, "test": 1024}, {"val": 300, "test": 200}):  # no shorter batch, a single batch
        assert not any("means over batches" in said for said in warned(short | {"data": alike}))
    assert not any("means over batches" in said for said in warned(short | {"loss": "mean over samples"}))
    assert not any("means over batches" in said for said in warned(run(0) | {"data": {"val": 512, "test": 513}}))
    said = [said for said in warned(short, run(1)) if "means over batches" in said]
    assert [text.partition(" as ")[0] for text in said] == ["1 run has val/loss and test/loss"]
    assert said[0].endswith(": conv-seed0")


def test_what_one_run_does_not_set_is_said():
    found = provenance(records([run(0), run(1, model__bias=True)]), [])
    assert dict(found.settings)["model.bias"] == [("not set", ["conv-seed0"]), ("true", ["conv-seed1"])]


def test_environment_names_all_even_if_equal():
    environment = dict(provenance(records([run(0), run(1, versions=None) | {"versions": {"torch": "2.7.0"}}]), []).environment)
    assert environment["torch"] == [("2.6.0", ["conv-seed0"]), ("2.7.0", ["conv-seed1"])]
    assert environment["git commit"] == [("83693148853dc4b98795beb86f19476a40aec94f", ["conv-seed0", "conv-seed1"])]
    assert environment["uncommitted changes"] == [("no", ["conv-seed0", "conv-seed1"])]
    assert environment["cpu"] == [("a CPU", ["conv-seed0", "conv-seed1"])]
    assert "hydra-core" not in environment  # noted by none


def test_runs_that_are_alike_need_no_warning():
    assert warned(*(run(s) for s in range(5))) == []
    assert find_warnings([], [], None) == []


ALIKE = [run(s) for s in range(2, 6)]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"data": {"checksum": "ab12ab12ab12ab12", "split": "s"}},
            "2 runs used different images than the others (data checksum ab12ab12… instead of 4131c302…)",
        ),
        (
            {"data": {"checksum": "4131c30294bed840", "split": "s"}},
            "2 runs used a different split of the images than the others (s instead of b9f667b6…)",
        ),
        (
            {"git": {"commit": "1a0a7c2" * 6, "dirty": False}},
            "2 runs used a different git commit than the others (1a0a7c21… instead of 83693148…)",
        ),
        (
            {"git": {"commit": "83693148853dc4b98795beb86f19476a40aec94f", "dirty": True}},
            "2 runs used code with uncommitted changes, which the git commit does not record",
        ),
        (
            {"versions": {"convexp": "0.1.0", "torch": "2.7.0"}},
            "2 runs used a different version of torch than the others (2.7.0 instead of 2.6.0)",
        ),
        ({"hardware": {"cpu": "another"}}, "2 runs used a different CPU than the others (another instead of a CPU)"),
        ({"metrics": {"test/acc": 0.5}}, "2 runs have no probe/shift_map/mean, which other runs have"),
    ],
)
def test_runs_that_are_not_alike_are_named(changes, said):
    others = [{**run(s), **changes} for s in (0, 1)]
    found = [sentence for sentence in warned(*others, *ALIKE) if sentence.startswith(said)]
    assert len(found) == 1
    assert found[0].endswith(": conv-seed0, conv-seed1")
    alone = next(sentence for sentence in warned(others[0], *ALIKE) if sentence.split()[3:6] == said.split()[3:6])
    assert alone.startswith(("1 run has ", "1 run used "))
    assert alone.endswith(": conv-seed0")


def test_many_runs_are_counted_and_a_few_named():
    others = [{**run(s), "hardware": {"cpu": "another"}} for s in range(20, 30)]
    (sentence,) = warned(*others, *(run(s) for s in range(11)))
    assert sentence.endswith(": conv-seed20, conv-seed21, conv-seed22, conv-seed23 and 6 more")


def test_images_may_differ_with_the_settings_of_the_data():
    other = {"checksum": "other", "split": "other"}
    varied = [{**run(s, data__source__seed=s), "data": {"checksum": str(s), "split": str(s)}} for s in range(3)]
    assert warned(*varied) == []
    assert warned(run(0), {**run(1, data__train_size=10), "data": other}) == []
    assert "different images" in warned(run(0), {**run(1, data__workers=9), "data": other})[0]


def test_data_sets_that_no_study_meant_to_mix_are_said():
    mnist = run(0, data__name="mnist", data__classes=47, data__source={"_target_": "mnist"})
    found = warned(run(0), run(1), with_path("m", mnist))
    assert found == [
        "the table mixes runs with 2 data sets: digits (2 runs), mnist (1 run)",
        "the table mixes runs with 2 numbers of classes: 10 (2 runs), 47 (1 run)",
    ]
    plan = planned({"data": ["digits", "mnist"]}, (run(0), {"data": "digits"}), (mnist, {"data": "mnist"}))
    assert warned(run(0), with_path("m", mnist), plan=plan) == []


def test_runs_that_guessing_reaches_are_said():
    def reached(seed, accuracy, **data):
        made = run(seed)
        return {**made, "metrics": {**made["metrics"], "test/acc": accuracy}, "data": {**made["data"], "test": 900, **data}}

    # 0.13 is three standard deviations of 900 guesses among ten classes.
    (sentence,) = warned(reached(0, 0.10), reached(1, 0.1299), reached(2, 0.1311), reached(3, 0.05), run(4))
    assert sentence == (
        "3 runs are no better than guessing among 10 classes (test accuracy of at most 3 standard deviations above 10%): "
        "conv-seed0, conv-seed1, conv-seed3"
    )
    assert warned(reached(0, 0.2, test=9), reached(1, 0.45, test=9))[0].startswith("1 run is no better than guessing")
    assert warned(reached(0, 0.1, test=None), reached(1, 0.1, test=0)) == []


def test_runs_made_twice_are_said():
    assert warned(run(0), with_path("again", run(0))) == [
        "1 run has the settings and the seed of another run and is not counted: again (same as conv-seed0)"
    ]


def states(root, plan=None):
    return {r.path: (r.state, r.reason) for r in unfinished(root, collect(root), plan)}


def test_every_run_that_did_not_finish_has_its_reason(tmp_path):
    trace = "Traceback (most recent call last):\n  File x\nZeroDivisionError: division by \x1b[31mzero\n"
    kept(
        tmp_path,
        run(9),
        with_path("diverged", run(0), state="failed", error="the loss is not finite"),
        with_path("crashed", run(1), state="failed", error=trace),
        with_path("stopped", run(2), state="interrupted"),
        with_path("killed", run(3), state="running"),
        {"path": "wrong", "format": 1, "state": "failed", "error": "lr=-1: should be above 0", "mendable": True},
    )
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "result.json").write_text("{")
    found = states(tmp_path)
    assert found["diverged"] == ("failed", "the loss is not finite")
    assert found["crashed"] == ("failed", "ZeroDivisionError: division by ?[31mzero")
    assert found["stopped"][0] == found["killed"][0] == "interrupted"
    assert found["wrong"] == ("wrong settings", "lr=-1: should be above 0")
    assert found["damaged"] == ("damaged", "result.json is damaged: is not valid JSON")
    assert len(found) == 6


def test_a_run_that_runs_is_running(tmp_path):
    kept(tmp_path, with_path("now", run(0), state="running"))
    with FileLock(tmp_path / "now" / ".lock"):
        assert states(tmp_path)["now"][0] == "running"
    assert states(tmp_path)["now"][0] == "interrupted"


def test_a_run_that_finishes_while_the_results_are_read_was_not_interrupted(tmp_path):
    kept(tmp_path, with_path("now", run(0), state="running"))
    read = collect(tmp_path)
    result = tmp_path / "now" / "result.json"
    result.write_text(result.read_text().replace('"running"', '"finished"'))
    [found] = unfinished(tmp_path, read, None)
    assert (found.state, found.reason) == ("running", "has finished since the results were read; call convexp-report again")


def test_planned_runs_without_a_folder_are_missing(tmp_path):
    kept(tmp_path, run(0), with_path("taken", run(1, "dense")))
    runs = [
        PlannedRun("conv-seed0", run(0)["identity"], {}),
        PlannedRun("taken", run(1)["identity"], {}),
        PlannedRun("later", "abc", {}),
        PlannedRun("wrong", None, {}),
    ]
    found = states(tmp_path, Plan("study", "?", {}, {}, runs))
    assert {path: state for path, (state, _) in found.items()} == {
        "taken": "missing",
        "later": "missing",
        "wrong": "wrong settings",
    }
    assert found["taken"][1] == "planned, but its folder holds a run with other settings"
