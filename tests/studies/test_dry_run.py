"""dry_run=true: says what would be done and does nothing."""

import re
import subprocess
import sys

import pytest
from conftest import read
from fabricated_runs import run
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sweeps import starts
from trees import tree

from convexp.records import RunRecord, RunStatus
from convexp.records.record import Seconds
from convexp.studies import sweep as sweeping
from convexp.studies.dry_run.amount import Amount, side_by_side, total
from convexp.studies.dry_run.shapes import SAME, SIMILAR, Shapes
from convexp.studies.dry_run.text import MOST

TINY = ("-m", "trainer=cpu", "trainer.max_epochs=1", "model.channels=[2,2]", "trainer.threads=1", "probes=none")
SWEEP = (*TINY, "hydra.sweep.dir=outputs/mine")


def listed(out, what):
    """The runs of which the table says ``what``."""
    return set(re.findall(rf"^ (\S+) +{what}", out, re.MULTILINE))


def test_what_is_listed_is_what_a_start_then_runs(call, tmp_path, interrupted_at):
    with interrupted_at(epoch=0, batch=3):
        assert call("train", *SWEEP, "model=choice(local)", "seed=choice(1)").code == 130
    assert call("train", *SWEEP, "model=choice(conv)", "seed=0,1").code == 1  # the other run is still to be done
    grid = ("model=conv,local", "seed=0,1")
    before = tree(tmp_path)
    done = call("train", *SWEEP, *grid, "dry_run=true")
    assert done.code == 0, done.err
    assert tree(tmp_path) == before
    assert "4 runs in outputs/mine: 2 already finished, 1 interrupted, to be resumed (local-seed1), 1 new (dry run" in done.out
    assert listed(done.out, "finished") == {"conv-seed0", "conv-seed1"}
    assert listed(done.out, "would run") == {"local-seed0"}
    assert listed(done.out, "would be resumed") == {"local-seed1"}
    assert "time and disk: unknown" in done.out  # what is finished is of another network
    start = call("train", *SWEEP, *grid)
    assert start.code == 0, start.err
    assert set(re.findall(r"^\d/4 (\S+):", start.out, re.MULTILINE)) == {"local-seed0", "local-seed1"}
    assert starts(tmp_path / "outputs" / "mine", ("local-seed0", "local-seed1")) == {"local-seed0": 1, "local-seed1": 2}
    again = call("train", *SWEEP, *grid, "seed=0,1,2", "dry_run=true")
    assert "estimated from finished runs: 4 the same but for the seed" in again.out
    assert re.search(r"time: about .*, one after the other", again.out)
    assert re.search(r"disk: about .* [kM]B", again.out)
    config = read(tmp_path / "outputs" / "mine" / "conv-seed0")["config"]
    assert {"dry_run", "reuse"} & {*config} == set()
    assert "dry_run" not in (tmp_path / "outputs" / "mine" / "conv-seed0" / ".hydra" / "config.yaml").read_text()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("model=local",), 0, "would run in outputs/runs/digits-local-seed0-"),
        (("model.kernel_size=4",), 2, "odd kernel_size"),
        (("-m", "model.kernel_size=3,4"), 2, "kernel_size4: model.padding=same needs an odd kernel_size"),
        (("study=three_layers",), 0, " runs in outputs/studies/three_layers: "),
        (("study=three_layers", "dry_run=true,false"), 2, "dry_run: is the same for all runs of a sweep"),
        (("-m", "seed=0,1", "hydra/sweeper=basic"), 2, "dry_run=true: hydra/sweeper=basic does not know it"),
        (("-m", "seed=0,1", "dry_run=0"), 2, "dry_run=0: should be true or false"),
        (("resume=nowhere",), 2, "resume=nowhere: there is no run in this folder"),
        (("-m", "hydra/sweeper=optuna", "hydra.sweeper.n_trials=5", "optimizer.lr=interval(0.1,0.2)"), 0, "search of 5 trials"),
    ],
)
def test_nothing_is_written(call, tmp_path, arguments, code, said):
    if arguments[0] == "-m":
        pytest.importorskip("optuna")
    done = call("train", *arguments, *(() if any("dry_run" in word for word in arguments) else ("dry_run=true",)))
    assert (done.code, done.err.count("\n")) == (code, int(code > 0)), done.err
    assert said in done.out + done.err
    assert list(tmp_path.iterdir()) == []


def test_of_a_thousand_runs_some_are_shown(call, tmp_path):
    done = call("train", "-m", "seed=range(1000)", "dry_run=true", "hydra.sweep.dir=large")
    assert done.code == 0, done.err
    assert len(listed(done.out, "would run")) == MOST
    assert f"... and {1000 - MOST} more runs" in done.out
    assert "time and disk: unknown" in done.out
    assert list(tmp_path.iterdir()) == []


def test_of_a_finished_run_more_epochs_are_announced_as_a_start_does_them(call, tmp_path, finished_run):
    folder = finished_run("scheduler=none", folder="run[/b]")
    epochs = read(folder)["config"]["trainer"]["max_epochs"]
    done = call("train", "resume='run[/b]'", "dry_run=true")
    assert (done.code, done.err) == (0, "")
    assert "in run[/b]: finished (dry run, nothing is written)" in done.out
    before = tree(tmp_path)
    done = call("train", "resume='run[/b]'", f"trainer.max_epochs={epochs + 1}", "dry_run=true")
    assert (done.code, done.err) == (0, "")
    assert f"in run[/b]: would go on from {epochs} to {epochs + 1} epochs (dry run" in done.out
    done = call("train", "resume='run[/b]'", f"trainer.max_epochs={epochs - 1}", "dry_run=true")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert f"this run has done {epochs} epochs" in done.err
    assert tree(tmp_path) == before


def test_a_folder_of_another_run_is_refused_as_by_a_start(call, tmp_path, finished_run):
    finished_run(folder="taken")
    before = tree(tmp_path)
    done = call("train", "hydra.run.dir=taken", "seed=17", "dry_run=true")
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert "taken: the folder holds a run of another configuration" in done.err
    assert tree(tmp_path) == before


def test_a_setting_that_is_called_after_it_is_named(call, tmp_path):
    done = call("train", "name=my-dry_run", "dry_run=true")
    assert done.code == 0, done.err
    assert "name=my-dry_run" in done.out
    assert "dry_run=true" not in done.out


def test_a_plain_start_does_not_look_through_the_outputs(call, tmp_path, monkeypatch):
    def fail(*_, **__):
        raise AssertionError

    monkeypatch.setattr(sweeping, "find_reusable", fail)
    assert call("train", *SWEEP, "only_costs=true", "seed=0").code == 0


@pytest.mark.e2e
def test_torch_is_not_imported(tmp_path):
    code = "import sys; from convexp.cli.train import main\ntry: main()\nfinally: print('torch' in sys.modules)"
    command = [sys.executable, "-c", code, "study=three_layers", "dry_run=true"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert " new (dry run, nothing is written)" in done.stdout
    assert done.stdout.splitlines()[-1] == "False"


AMOUNTS = st.lists(st.tuples(*[st.integers(0, 10**6)] * 3).map(Amount.of), min_size=1, max_size=5)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(AMOUNTS, st.integers(1, 12))
def test_side_by_side_takes_at_least_the_longest_and_at_most_the_sum(amounts, places):
    together, one_by_one = side_by_side(amounts, places), total(amounts)
    for end in ("low", "mean", "high"):
        longest, summed, found = max(getattr(a, end) for a in amounts), getattr(one_by_one, end), getattr(together, end)
        assert longest <= found <= max(longest, summed) * (1 + 1e-12)
        assert found >= summed / places
    assert together.low <= together.high


def finished(folder, seconds, fit=0.0, ended="2026-01-01", **made):
    config = run(**made)["config"]
    took = Seconds(total=seconds, fit=fit)
    record = RunRecord(state=RunStatus.FINISHED, config=config, seed=config["seed"], seconds=took, ended=ended)
    folder.mkdir()
    (folder / "file").write_bytes(b"x" * 100)
    return folder, record


def test_a_run_is_estimated_by_those_that_differ_in_the_seed_else_by_their_epochs(tmp_path):
    known = [
        finished(tmp_path / "a", 10.0, seed=1),
        finished(tmp_path / "b", 14.0, seed=2),
        finished(tmp_path / "c", 100.0, fit=90.0, seed=1, trainer__max_epochs=30),
    ]
    planned = [
        (run(0)["config"], 0),
        (run(0, trainer__max_epochs=60)["config"], 0),
        (run(0, "local")["config"], 0),
    ]
    shapes = Shapes(known, planned)
    same, other, none = (shapes.estimate(i) for i in range(3))
    assert same is not None
    assert (same.source, same.seconds, same.size.mean) == (SAME, Amount(10.0, 12.0, 14.0), 100.0)
    assert other is not None
    assert other.source == SIMILAR
    assert other.seconds.high == 100.0 - 90.0 + 90.0 * 60 / 30  # only the training takes longer
    assert none is None
    for other in ({"model__width": 8}, {"data__train_size": 100}, {"trainer__accelerator": "gpu"}, {"data__batch_size": 7}):
        assert Shapes(known, [(run(0, **other)["config"], 0)]).estimate(0) is None


def test_a_record_with_impossible_times_estimates_nothing(tmp_path):
    known = [finished(tmp_path / "a", float("nan"), seed=1), finished(tmp_path / "b", -3.0, seed=2)]
    assert Shapes(known, [(run(0)["config"], 0)]).estimate(0) is None
