"""convexp-status: how many runs stand where, who does them, when all will be done; from any machine, and nothing is written."""

import json
import os
from datetime import UTC, datetime, timedelta

import pytest
from fabricated_runs import kept, planned, run, with_path
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from rich.console import Console

from convexp.config.command_line.format import shell_path_override
from convexp.files.leases.lease import new_lease
from convexp.files.leases.place import LeasePlace
from convexp.files.leases.take import take
from convexp.files.leases.watch import BEATS
from convexp.records import RunFolder
from convexp.records.plan import write_plan
from convexp.records.submissions import Submission, add_submissions
from convexp.records.train_log import TAIL, read_pace
from convexp.studies.overview.holders import Holders, Life
from convexp.studies.overview.overview import Overviews, RunView, Stage
from convexp.studies.overview.remaining import Work, seconds_to_the_end
from convexp.studies.overview.text import duration, render

SINCE = "2026-01-01T00:00:00+00:00"
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def log_lines(*epochs, start=1, seconds=60):
    first = datetime(2026, 1, 1)
    lines = [f"{first:%Y-%m-%d %H:%M:%S},123 INFO started at epoch {start}: a run"]
    for epoch in epochs:
        first += timedelta(seconds=seconds)
        lines.append(f"{first:%Y-%m-%d %H:%M:%S},123 INFO epoch {epoch}, step {epoch * 9}: val/acc 0.9")
    return "\n".join(lines) + "\n"


@pytest.fixture
def sweep(tmp_path):
    """Twelve planned runs: finished, failed, interrupted, running on another machine, begun here, handed to Slurm, waiting."""
    root = tmp_path / "sweep"
    made = [with_path(f"conv-seed{s}", run(s, trainer={"max_epochs": 20}), seconds={"total": 100.0}) for s in range(12)]
    states = {6: "failed", 7: "interrupted", 8: "running", 9: "running"}
    started = [{**each, "state": states.get(s, "finished")} for s, each in enumerate(made[:10])]
    started[6]["error"] = "Traceback ...\nDivergedError: the loss is not finite"
    kept(root, *started)
    plan = planned({"seed": list(range(12))}, *((each, {"seed": s}) for s, each in enumerate(made)))
    write_plan(root, replace(plan, command=["study=three_layers"]))
    for name in ("conv-seed8", "conv-seed9"):
        (root / name / ".lock").touch()
        (root / name / "train.log").write_text(log_lines(1, 2, 3, 4, 5))
    other = replace(new_lease(SINCE), host="node17/boot/4026", engine="slurm 123_4", every=5.0)
    take(LeasePlace(root / "conv-seed8"), None, other)
    add_submissions(root, [Submission(run="conv-seed10", engine="slurm", job="123_10", host="login", at=SINCE)])
    return root


def counts(**expected):
    return {Stage[name.upper()]: number for name, number in expected.items()}


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def view(overview, name):
    return next(run for run in overview.runs if run.path == name)


def shown(overview, width=80):
    console = Console(width=width, file=open(os.devnull, "w"), record=True)  # noqa: SIM115, PTH123
    console.print(render(overview, NOW))
    console.file.close()
    return console.export_text()


def test_an_overview_counts_every_run_once_and_says_who_does_it(sweep):
    found = Overviews(sweep, Holders()).look()
    assert found.counts == counts(finished=6, running=1, waiting=2, interrupted=2, failed=1)
    assert len(found.runs) == 12
    running = view(found, "conv-seed8")
    assert (running.holder.host, running.holder.engine, running.holder.life) == ("node17", "slurm 123_4", Life.UNKNOWN)
    assert (running.epoch, running.epochs, running.pace, running.remaining) == (5, 20, 60.0, 900.0)
    assert view(found, "conv-seed10").job == "slurm 123_10"
    assert view(found, "conv-seed6").error == "DivergedError: the loss is not finite"
    assert found.remaining == 900.0 + 2 * 100.0
    assert not found.is_over


def test_the_text_fits_eighty_columns_and_says_what_matters(sweep):
    text = shown(Overviews(sweep, Holders()).look())
    assert all(len(line) <= 80 for line in text.splitlines())
    words = " ".join(text.split())
    for part in (
        "12 runs: 6 finished, 1 running, 2 waiting (1 handed to slurm), 2 interrupted, 1 failed",
        "about 18 min left, until about 12:18",
        "5/20 ~15 min",
        "alive?",
        "conv-seed6: failed, DivergedError: the loss is not finite",
        "conv-seed7: interrupted",
    ):
        assert part in words


def test_an_interrupted_run_that_its_engine_holds_waits_and_needs_no_start(sweep, monkeypatch):
    add_submissions(sweep, [Submission(run="conv-seed7", engine="slurm", job="123_7", host="login", at=SINCE)])
    asked = []
    said = {"conv-seed7": "waiting in slurm (job 123_7)", "conv-seed6": "running in slurm (job 123_6)"}
    monkeypatch.setattr("convexp.engines.waiting.waiting_runs", lambda root: asked.append(root) or said)
    found = Overviews(sweep.parent, Holders()).look()
    assert asked == [sweep]
    assert found.counts == counts(finished=6, running=1, waiting=3, interrupted=1, failed=1)
    again = view(found, "sweep/conv-seed7")
    assert (again.stage, again.job, again.again) == (Stage.WAITING, "slurm 123_7", True)
    assert "3 waiting (1 handed to slurm again, 1 handed to slurm)" in shown(found, 300)
    assert "sweep/conv-seed7" not in shown(found, 300)
    said.clear()  # its job has ended, or Slurm does not answer
    assert view(Overviews(sweep, Holders()).look(), "conv-seed7").stage is Stage.INTERRUPTED


def test_a_machine_that_beats_lives_and_one_that_does_not_is_dead_in_the_end(sweep):
    clock = Clock()
    overviews = Overviews(sweep, Holders(clock))
    place = LeasePlace(sweep / "conv-seed8")
    assert view(overviews.look(), "conv-seed8").holder.life is Life.UNKNOWN
    clock.now = 7.0
    content = place.latest().content
    place.file(1).write_bytes(content.replace(b'"beat":0', b'"beat":1'))
    assert view(overviews.look(), "conv-seed8").holder.life is Life.LIVES
    clock.now = 7.0 + 5.0 * BEATS - 1
    found = overviews.look()
    assert (view(found, "conv-seed8").stage, view(found, "conv-seed8").holder.silent) == (Stage.RUNNING, 5.0 * BEATS - 1)
    assert "last beat 29 s ago" in " ".join(shown(found, 120).split())
    clock.now += 1
    found = overviews.look()
    assert found.counts == counts(finished=6, waiting=2, interrupted=3, failed=1)
    assert "conv-seed8: interrupted, node17 has not answered for 30 s" in shown(found, 120)


def test_it_says_how_to_go_on_with_what_was_interrupted_and_with_what_nobody_does(sweep, tmp_path):
    advice = f"to go on, start it again: convexp-train study=three_layers {shell_path_override('hydra.sweep.dir', sweep)}"
    overview = Overviews(sweep, Holders()).look()
    assert advice in shown(overview, 300)
    forgotten = replace(overview, counts=counts(finished=1, waiting=1), runs=[RunView(path="a", stage=Stage.WAITING)])
    assert advice in shown(forgotten, 300)
    for nothing_to_do in (
        counts(finished=12),
        counts(running=1, waiting=1),
    ):
        waiting = [RunView(path="a", stage=Stage.WAITING)]
        assert "to go on" not in shown(replace(overview, counts=nothing_to_do, runs=waiting[: nothing_to_do.get("waiting", 0)]))
    handed = [RunView(path="a", stage=Stage.WAITING, job="slurm 7")]
    assert "to go on" not in shown(replace(overview, counts=counts(waiting=1), runs=handed))
    alone = kept(tmp_path / "runs", with_path("a run", run(), state="interrupted"))
    found = shown(Overviews(alone, Holders()).look(), 300)
    assert f"to go on: convexp-train {shell_path_override('resume', alone / 'a run')}" in found
    itself = shown(Overviews(alone / "a run", Holders()).look(), 300)
    assert f"to go on: convexp-train {shell_path_override('resume', alone / 'a run')}\n" in itself
    assert "\na run: interrupted\n" in itself


def test_a_run_of_this_machine_is_seen_by_its_lock_and_from_elsewhere_by_its_lease(sweep, monkeypatch):
    from convexp.studies.overview import holders

    with RunFolder(sweep / "conv-seed11", "id"):  # it has no record yet
        found = Overviews(sweep, Holders()).look()
        assert (view(found, "conv-seed11").stage, view(found, "conv-seed11").holder.life) == (Stage.RUNNING, Life.LIVES)
        monkeypatch.setattr(holders, "is_lock_free", lambda path: True)  # it may not be locked, or its lock lies
        assert view(Overviews(sweep, Holders()).look(), "conv-seed11").holder.life is Life.LIVES
    assert view(Overviews(sweep, Holders()).look(), "conv-seed11").stage is Stage.WAITING


def test_a_folder_of_several_sweeps_is_counted_with_all_that_they_plan(sweep):
    found = Overviews(sweep.parent, Holders()).look()
    assert found.counts == counts(finished=6, running=1, waiting=2, interrupted=2, failed=1)
    assert {run.path.partition("/")[0] for run in found.runs} == {"sweep"}


def test_many_finished_runs_are_looked_at_and_no_index_is_written(tmp_path):
    kept(tmp_path, *(with_path(f"r{i:03}", run(i)) for i in range(150)))
    for file in tmp_path.glob("*/result.json"):
        os.utime(file, (1, 1))  # settled, as files from long ago are
    before = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    assert Overviews(tmp_path, Holders()).look().counts == counts(finished=150)
    assert {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()} == before


def test_of_many_runs_few_are_listed(tmp_path):
    kept(tmp_path, *(with_path(f"r{i:03}", run(i), state="failed", error="no luck") for i in range(300)))
    text = shown(Overviews(tmp_path, Holders()).look())
    assert text.count("no luck") == 20
    assert "... and 280 more failed" in text


@pytest.mark.parametrize("width", [40, 80, 200])
def test_what_anybody_wrote_into_a_folder_is_shown_harmlessly(tmp_path, width):
    evil = "\x1b[31m[bold]\u202e" + "x" * 300
    kept(tmp_path, with_path("[red]run", run(), state="failed", error=evil), with_path("other", run(), state="running"))
    take(LeasePlace(tmp_path / "other"), None, replace(new_lease(evil[:60]), host=evil[:200], engine=evil[:100]))
    (tmp_path / "other" / "train.log").write_bytes(b"\xff\xfe 2026-99-99 99:99:99,123 INFO epoch 3, step\n" * 9)
    text = shown(Overviews(tmp_path, Holders()).look(), width)
    assert "\x1b" not in text
    assert "[red]run" in text


def test_the_pace_is_that_since_the_last_start_by_the_last_lines_of_a_long_log(tmp_path):
    log = tmp_path / "train.log"
    assert read_pace(tmp_path) is None
    log.write_text("2026-01-01 00:00:00,000 INFO something else\n")
    assert read_pace(tmp_path) is None
    log.write_text(log_lines())
    assert (read_pace(tmp_path).epochs, read_pace(tmp_path).seconds) == (0, None)
    log.write_text(log_lines(1, 2, seconds=10) + log_lines(3, 4, start=3, seconds=20))
    assert (read_pace(tmp_path).epochs, read_pace(tmp_path).seconds) == (4, 20.0)
    log.write_text(log_lines(*range(1, 2000), seconds=7))
    assert log.stat().st_size > 2 * TAIL
    assert (read_pace(tmp_path).epochs, read_pace(tmp_path).seconds) == (1999, 7.0)
    log.unlink()
    os.mkfifo(log)
    assert read_pace(tmp_path) is None


seconds = st.floats(0, 1e6)


@given(st.lists(seconds, min_size=1, max_size=9), st.integers(0, 99), seconds)
def test_the_end_is_no_sooner_than_the_longest_run_and_no_later_than_one_after_another(running, waiting, usual):
    end = seconds_to_the_end(running, waiting, usual)
    one_after_another = sum(running) + waiting * usual
    assert max(running) <= end <= one_after_another * (1 + 1e-9)
    assert end >= one_after_another / len(running) * (1 - 1e-9)


def test_nothing_is_said_where_nothing_is_known():
    assert seconds_to_the_end([], 3, 10.0) is None
    assert seconds_to_the_end([None], 0, 10.0) is None
    assert seconds_to_the_end([5.0], 1, None) is None
    assert Work(epochs=None, done=None, pace=None, usual=None).remaining() is None
    assert Work(epochs=10, done=4, pace=None, usual=100.0).remaining() == 60.0
    assert Work(epochs=10, done=12, pace=1.0, usual=None).remaining() == 0.0


@pytest.mark.parametrize(
    ("given", "expected"), [(0, "0 s"), (89, "89 s"), (91, "2 min"), (5400, "1.5 h"), (172800, "2.0 d"), (1e9, "11574.1 d")]
)
def test_durations_have_a_fitting_unit(given, expected):
    assert duration(given) == expected


def test_the_command_prints_text_and_json_and_writes_nothing(call, sweep):
    before = {path: path.stat().st_mtime_ns for path in sweep.rglob("*")}
    done = call("status", "sweep")
    assert (done.code, done.err) == (0, "")
    assert "12 runs: 6 finished" in done.out
    done = call("status", "sweep", "--json")
    found = json.loads(done.out)
    assert found["counts"] == {"finished": 6, "running": 1, "waiting": 2, "interrupted": 2, "failed": 1}
    assert found["command"] == ["study=three_layers"]
    assert {path: path.stat().st_mtime_ns for path in sweep.rglob("*")} == before


def test_a_command_to_copy_is_in_one_line_however_narrow_the_terminal_is(call, sweep, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    command = "convexp-train study=three_layers hydra.sweep.dir=sweep"
    assert call("status", "sweep").out.splitlines()[-1] == f"to go on, start it again: {command}"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nowhere",), "nowhere: there is no such folder"),
        (("",), "DIR='': is empty"),
        (("file",), "file: is a file"),
        (("empty",), "empty: there are no runs of convexp in this folder"),
        (("newer",), "upgrade convexp"),
    ],
)
def test_a_folder_that_cannot_be_shown_is_one_line(call, tmp_path, arguments, words):
    (tmp_path / "file").touch()
    (tmp_path / "empty").mkdir()
    (tmp_path / "newer").mkdir()
    (tmp_path / "newer" / "study.json").write_text('{"format": 999}')
    done = call("status", *arguments)
    assert done.code == (1 if arguments == ("newer",) else 2)
    assert (done.out, done.err.count("\n")) == ("", 1)
    assert words in done.err


def test_watching_ends_when_all_has_ended_and_with_130_on_ctrl_c(call, sweep, monkeypatch):
    from convexp.cli import status

    def interrupt(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(status.time, "sleep", interrupt)
    assert call("status", "sweep", "--watch").code == 130

    def finish(_):
        for name in ("conv-seed8", "conv-seed10", "conv-seed11"):
            (sweep / name).mkdir(exist_ok=True)
            (sweep / name / "result.json").write_bytes((sweep / "conv-seed0" / "result.json").read_bytes())

    monkeypatch.setattr(status.time, "sleep", finish)
    done = call("status", "sweep", "--watch")
    assert done.code == 0
    assert "9 finished, 2 interrupted, 1 failed" in done.out


@pytest.mark.e2e
def test_it_reads_no_torch(tmp_path, sweep, program):
    done = program("status", "sweep", cwd=tmp_path, fresh=True, PYTHONPROFILEIMPORTTIME="1")
    assert done.code == 0
    assert not any(f" {name}\n" in done.err for name in ("torch", "pandas", "hydra"))
