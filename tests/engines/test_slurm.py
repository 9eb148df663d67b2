"""Slurm: packed jobs, detached sweeps, time that is up, preemption, and what is refused."""

import os
import re
import shlex
import signal

import pytest
from sweeps import LONG, RUNS, SWEEP, begun, holder, outcome, started, starts, states, undisturbed_outcome, until

from convexp.records.submissions import read_submissions

pytest.importorskip("submitit")

LAUNCHER = ("hydra/launcher=slurm",)


@pytest.fixture
def sweep(slurm, tmp_path):
    """Runs the sweep in Slurm until it ends; returns its exit code and what it said."""

    def run(*arguments, sweep=SWEEP):
        with started(*sweep, *LAUNCHER, *arguments, cwd=tmp_path, **slurm.environment) as process:
            code = process.wait(300)
        return code, (tmp_path / "out.txt").read_text()

    return run


@pytest.fixture
def root(tmp_path):
    return tmp_path / "sweep"


def jobs_of(root):
    return {run: each.job for run, each in read_submissions(root).items()}


def announce_the_end(run):
    """Send all processes of a run's job the signal that Slurm sends ahead of the time limit.

    ``scancel --signal`` sends it again if the job ends meanwhile, which Slurm does not.
    """
    os.killpg(os.getpgid(holder(run)), signal.SIGUSR2)


def logs(root):
    return "".join(file.read_text() for file in root.glob(".slurm/*/*_log.*"))


@pytest.mark.e2e
def test_packed_jobs_are_preempted_and_go_on_with_the_same_bits(slurm, tmp_path, root, tmp_path_factory):
    packed = ("hydra.launcher.runs_per_job=2", "hydra.launcher.cpus_per_task=2")
    # As torchrun sets them: each run would take itself for one of four processes that share a training.
    ranks = "hydra.launcher.setup=['export RANK=3 LOCAL_RANK=3 WORLD_SIZE=4']"
    with started(*SWEEP, *LONG, *LAUNCHER, *packed, ranks, cwd=tmp_path, **slurm.environment) as process:
        until(lambda: len(begun(root)) == 2)  # two at a time in one job, in worker processes
        first, second = sorted(set(jobs_of(root).values()))
        assert [run for run, job in jobs_of(root).items() if job == first] == [*RUNS[:2]]
        slurm("sbatch", "--partition=urgent", "--ntasks=2", "--output=/dev/null", "--wrap=true")
        code = process.wait(300)
    said = (tmp_path / "out.txt").read_text()
    assert code == 0, said
    assert outcome(root) == undisturbed_outcome(tmp_path_factory, *LONG)
    assert set(starts(root).values()) == {1}
    assert [slurm.told(job, "Restarts") for job in (first, second)] == ["1", "0"]
    assert f"Slurm job {first}: interrupted, put back in the queue, 1 of at most 10 times" in said
    assert "Traceback" not in said + logs(root)
    assert len(list(root.glob(".slurm/*/*_log.out"))) == 2


@pytest.mark.e2e
def test_each_job_whose_time_is_up_goes_back_once_and_goes_on_with_the_same_bits(slurm, tmp_path, root, tmp_path_factory):
    with started(*SWEEP, *LONG, *LAUNCHER, cwd=tmp_path, **slurm.environment) as process:
        one, *_ = until(lambda: begun(root))
        announce_the_end(root / one)
        other, *_ = until(lambda: [run for run in begun(root) if run != one])  # on a busy machine one runs after the other
        jobs = jobs_of(root)
        told, put_back = jobs[one], jobs[other]
        slurm("scontrol", "requeue", put_back)  # as an administrator does
        code = process.wait(300)
    said = (tmp_path / "out.txt").read_text()
    assert code == 0, said
    assert outcome(root) == undisturbed_outcome(tmp_path_factory, *LONG)
    assert set(starts(root).values()) == {1}
    assert {job: slurm.told(job, "Restarts") for job in jobs.values()} == {
        job: "1" if job in (told, put_back) else "0" for job in jobs.values()
    }
    assert "Traceback" not in said + logs(root)
    assert "completed successfully" not in logs(root)
    assert not list(root.rglob("hpc_ckpt*"))  # Lightning's own way to go back to the queue


@pytest.mark.e2e
def test_a_job_that_may_not_go_back_leaves_its_run_interrupted(slurm, sweep, tmp_path, root):
    single = ("model=conv", "seed=0", "hydra.sweep.subdir=conv-seed0")
    never = "hydra.launcher.max_requeues=0"
    with started(*SWEEP, *LONG, *single, *LAUNCHER, never, cwd=tmp_path, **slurm.environment) as process:
        until(lambda: begun(root))
        announce_the_end(root / "conv-seed0")
        assert process.wait(300) == 1
    said = (tmp_path / "out.txt").read_text()
    assert states(root) == {"conv-seed0": "interrupted"}
    assert "not put back in the queue: it was 0 times (hydra.launcher.max_requeues=0)" in said
    assert "conv-seed0: its Slurm job" in said
    assert "Traceback" not in said + logs(root)
    code, said = sweep(*LONG, *single)
    assert code == 0, said
    assert starts(root, ["conv-seed0"]) == {"conv-seed0": 1}


@pytest.mark.e2e
def test_an_interrupted_run_that_is_in_the_queue_again_waits(slurm, sweep, root, tmp_path, program):
    single = ("model=conv", "seed=0", "hydra.sweep.subdir=conv-seed0", "hydra.launcher.detach=true")
    assert sweep(*LONG, *single)[0] == 0
    until(lambda: begun(root))
    job = jobs_of(root)["conv-seed0"]
    slurm("scontrol", "requeuehold", job)
    until(lambda: states(root) == {"conv-seed0": "interrupted"} and slurm.told(job, "JobState") == "PENDING")
    said = program("status", "sweep", cwd=tmp_path, **slurm.environment).out
    assert "1 run: 1 waiting (1 handed to slurm again)" in said
    slurm("scancel", job)
    assert "1 run: 1 interrupted" in program("status", "sweep", cwd=tmp_path, **slurm.environment).out


@pytest.mark.e2e
def test_a_detached_sweep_is_picked_up_and_what_was_lost_is_submitted_again(slurm, sweep, root, tmp_path_factory):
    detached = "hydra.launcher.detach=true"
    code, said = sweep(detached, "hydra.launcher.additional_parameters={hold: true}")
    assert code == 0, said
    assert "4 runs submitted" in said
    assert "convexp-status sweep" in said
    (to_collect,) = re.findall("to collect the results: convexp-train (.*)", said)
    jobs = jobs_of(root)
    assert f"conv-seed0: waiting in slurm (job {jobs['conv-seed0']})" in said
    slurm("scancel", jobs["local-seed1"])  # lost while nobody looked
    slurm("scontrol", "release", jobs["conv-seed0"])
    until(lambda: begun(root) or states(root) == {"conv-seed0": "finished"})
    code, said = sweep(detached)
    assert code == 0, said
    assert "1 run submitted" in said
    again = jobs_of(root)
    assert {run for run in RUNS if again[run] != jobs[run]} == {"local-seed1"}
    for run in RUNS[1:3]:
        slurm("scontrol", "release", jobs[run])
    assert sorted(shlex.split(to_collect)) == sorted([*SWEEP, *LAUNCHER, "hydra.launcher.additional_parameters={hold: true}"])
    code, said = sweep()
    assert code == 0, said
    assert jobs_of(root) == again
    assert not list(root.glob(".slurm/*/*.pkl"))
    assert outcome(root) == undisturbed_outcome(tmp_path_factory)
    assert slurm.alive() == []


@pytest.mark.e2e
def test_what_slurm_refuses_is_one_line_and_nothing_is_written(sweep, root):
    for arguments, line in {
        ("hydra.launcher.partition=gpu",): "hydra.launcher.partition=gpu: there is no such partition; there are main, urgent",
        ("hydra.launcher.gres=gpu:1",): "hydra.launcher: Slurm takes no job with time=60, cpus_per_task=1, gres=gpu:1 (",
        ("hydra.launcher.timeout_min=soon",): "hydra.launcher.timeout_min=soon: should be a valid integer",
    }.items():
        code, said = sweep(*arguments)
        assert code == 2, said
        assert said.startswith(f"convexp-train: {line}"), said
        assert said.count("\n") == 1
        assert not root.exists()
