"""The parts of the launcher for Slurm: its settings, what it makes of Slurm's answers, and what it asks for."""

import shutil

import pytest
from hydra.types import HydraContext

from convexp.engines.slurm import commands, environment, job, queue, submit, wait
from convexp.engines.slurm.commands import JobState
from convexp.engines.slurm.logs import JobLogs
from convexp.engines.slurm.runs import planned_runs
from convexp.engines.slurm.settings import SlurmSettings, read_settings
from convexp.engines.waiting import waiting_runs
from convexp.errors import ConfigError, ConvexpError, RefusedError
from convexp.records.submissions import Submission, add_submissions


@pytest.fixture
def answers(monkeypatch):
    """What Slurm's commands say, by their names; an error, if it is one. Returns what they were asked, too."""
    said, asked = {}, []

    def ask(*command):
        asked.append(command)
        answer = said.get(command[0], "")
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(commands, "ask", ask)
    return said, asked


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"timeout_min": 0}, "hydra.launcher.timeout_min=0: should be greater than 0"),
        ({"mem_gb": "much"}, "hydra.launcher.mem_gb=much: should be a valid number"),
        ({"setup": "module load cuda"}, "hydra.launcher.setup=module load cuda: should be a valid list"),
        ({"runs_per_job": 1.5}, "hydra.launcher.runs_per_job=1.5: should be a valid integer"),
        ({"max_requeues": -1}, "hydra.launcher.max_requeues=-1: should be greater than or equal to 0"),
        ({"partion": "gpu"}, "hydra.launcher.partion: there is no such setting"),
    ],
)
def test_wrong_settings_are_named(given, message):
    with pytest.raises(ConfigError) as error:
        read_settings(given)
    assert str(error.value).startswith(message)


def test_what_is_not_set_is_not_asked_for():
    assert SlurmSettings().requests() == {"job_name": "convexp", "time": 60, "cpus_per_task": 1}
    assert (
        SlurmSettings(mem_gb=0.5, gpus_per_node="a100:2").requests().items()
        >= {"mem": "512M", "gpus_per_node": "a100:2"}.items()
    )


def test_states_of_jobs_and_of_tasks_of_arrays(answers):
    said, asked = answers
    said["squeue"] = "7_0|RUNNING|None\n7_1|PENDING|JobArrayTaskLimit\n9|COMPLETED|None\n7_2|TIMEOUT|TimeLimit\n"
    found = commands.job_states(["7_0", "7_1", "9", "8"])
    assert found == {"7_0": JobState("RUNNING"), "7_1": JobState("PENDING", "JobArrayTaskLimit"), "9": JobState("COMPLETED")}
    assert [state.has_ended for state in found.values()] == [False, False, True]
    assert [state.waits for state in found.values()] == [False, True, False]
    assert "--jobs=7,8,9" in asked[0]


def test_a_job_that_slurm_has_forgotten_has_ended(answers):
    said, _ = answers
    said["squeue"] = ConvexpError("squeue: Invalid job id specified")
    said["sacct"] = ConvexpError("sacct: Slurm accounting storage is disabled")
    assert list(wait.ended_jobs(["7"], lambda _: None)) == [("7", "unknown to Slurm")]
    said["sacct"] = "TIMEOUT\n"  # with accounting
    assert list(wait.ended_jobs(["7"], lambda _: None)) == [("7", "TIMEOUT")]


def test_a_slurm_that_does_not_answer_is_asked_again(answers, monkeypatch, capsys):
    said, asked = answers
    said["squeue"] = ConvexpError("squeue: Unable to contact slurm controller")
    pauses = []

    def sleep(seconds):
        pauses.append(seconds)
        if len(pauses) == 2:
            said["squeue"] = "7|COMPLETED|None"

    monkeypatch.setattr(wait.time, "sleep", sleep)
    assert list(wait.ended_jobs(["7"], lambda _: None)) == [("7", "COMPLETED")]
    assert len(asked) == 3
    assert capsys.readouterr().out.count("Slurm does not answer") == 1


@pytest.mark.parametrize(
    ("state", "restarts", "requeued", "words"),
    [
        ("RUNNING", 0, True, "put back in the queue, 1 of at most 2 times"),
        ("RUNNING", 1, True, "put back in the queue, 2 of at most 2 times"),
        ("RUNNING", 2, False, "not put back in the queue: it was 2 times"),
        ("CANCELLED", 0, False, "ended by Slurm (CANCELLED)"),
        ("COMPLETING", 0, False, "ended by Slurm (COMPLETING)"),  # Slurm has put it back itself
    ],
)
def test_a_job_puts_itself_back_only_where_nobody_else_does(answers, monkeypatch, state, restarts, requeued, words):
    said, asked = answers
    said["scontrol"] = f"JobId=7 JobState={state} Reason=None"
    monkeypatch.setenv("SLURM_RESTART_COUNT", str(restarts))
    assert job.back_to_queue("7", most=2).startswith(words)
    assert (("scontrol", "requeue", "7") in asked) == requeued


def test_jobs_submitted_from_a_job_do_not_take_over_what_it_asked_for(monkeypatch):
    monkeypatch.setenv("SLURM_CPUS_PER_TASK", "7")
    monkeypatch.setenv("SLURM_CONF", "somewhere")
    with environment.outside_of_any_job():
        assert environment.os.environ.get("SLURM_CPUS_PER_TASK") is None
        assert environment.os.environ["SLURM_CONF"] == "somewhere"
    assert environment.os.environ["SLURM_CPUS_PER_TASK"] == "7"


def test_runs_of_any_sweeper_have_a_number():
    context = HydraContext(config_loader=None, callbacks=None)  # nothing is composed where folders are named
    runs = planned_runs(context, None, [["seed=1", "hydra.sweep.subdir='a=b'"], ["hydra.sweep.subdir=c", "hydra.job.num=9"]], 4)
    assert [run.name for run in runs] == ["a=b", "c"]
    assert [run.overrides[-1] for run in runs] == ["hydra.job.num=4", "hydra.job.num=9"]


def test_logs_are_printed_line_by_line_without_what_slurm_says(tmp_path, capsys):
    log = tmp_path / ".slurm" / "today" / "7_1_0_log.out"
    log.parent.mkdir(parents=True)
    log.write_text("of an earlier start\n")
    log.with_suffix(".err").write_text("")
    logs = JobLogs(tmp_path, ["7_1"])
    with log.open("a") as file:
        file.write("one\ntwo\nhal")
        file.flush()
        logs.relay("7_1")
        assert capsys.readouterr().out == "one\ntwo\n"
        file.write("f\n")
    log.with_suffix(".err").write_text("srun: got SIGCONT\nslurmstepd-localhost: error: *** STEP\nwrong\n")
    logs.relay("7_1")
    logs.relay("7_2")  # has not begun
    assert capsys.readouterr() == ("half\n", "wrong\n")


def test_what_waits_is_known_by_the_submissions(answers, tmp_path, monkeypatch):
    said, asked = answers
    assert waiting_runs(tmp_path) == {}
    run = {"engine": "slurm", "host": "here", "at": "2026-11-26T12:00:00+00:00"}
    add_submissions(tmp_path, [Submission(run=name, job=f"7_{i}", **run) for i, name in enumerate("abc")])
    monkeypatch.setattr(shutil, "which", lambda _: "/usr/bin/squeue")
    said["squeue"] = "7_0|RUNNING|None\n7_1|PENDING|Priority\n7_2|FAILED|NonZeroExitCode"
    assert waiting_runs(tmp_path) == {"a": "running in slurm (job 7_0)", "b": "waiting in slurm (job 7_1)"}
    said["squeue"] = ConvexpError("squeue: no answer")
    assert waiting_runs(tmp_path) == {}
    assert all(command[0] == "squeue" for command in asked)


def test_what_is_sent_to_a_job_lies_in_a_new_folder_and_is_removed_when_it_has_ended(answers, tmp_path):
    said, _ = answers
    folders = [submit._new_folder(tmp_path) for _ in range(2)]
    assert len(set(folders)) == 2
    ended = {"7_1_submitted.pkl", "7_1_0_result.pkl", "9_submitted.pkl", "9_0_result.pkl"}
    kept = {"7_10_submitted.pkl", "7_1_0_log.out", "0f3a.pkl"}  # the last one is about to be sent
    for name in ended | kept:
        (folders[0] / name).touch()
    said["squeue"] = "7_1|FAILED|NonZeroExitCode\n7_10|RUNNING|None"
    queue.remove_pickles(tmp_path)
    assert {file.name for file in folders[0].iterdir()} == kept


def test_nothing_is_sent_through_a_link(tmp_path):
    (tmp_path / "sweep").mkdir()
    (tmp_path / "sweep" / submit.FOLDER).symlink_to(tmp_path)
    with pytest.raises(RefusedError, match="is a link"):
        submit._new_folder(tmp_path / "sweep")
