"""Every engine keeps the semantics of a sweep: plan first, skip what is finished, resume, retry, list all failures, same bits.

An engine is a fixture ``NAME_engine`` (below, or in tests/support) that returns an ``Engine``, and its name in ``ENGINES``.
"""

import os
import signal
import time
from dataclasses import dataclass, field
from importlib.util import find_spec

import pytest
from sweeps import APART, LONG, RUNS, SWEEP, begun, holder, outcome, started, starts, states, undisturbed_outcome, until

ENGINES = ("one", "processes", "joblib", "ray", "slurm")

pytestmark = pytest.mark.e2e


@dataclass
class Engine:
    """How the command line chooses an engine.

    Attributes:
        overrides: What chooses it.
        environment: Environment variables that it needs.
        retries: Whether it starts a run again by itself when its process is killed.
    """

    overrides: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)
    retries: bool = False


@pytest.fixture
def one_engine():
    return Engine(("hydra.launcher.processes=1",))


@pytest.fixture
def processes_engine():
    return Engine(APART)


@pytest.fixture
def joblib_engine():
    return Engine(("hydra/launcher=joblib", "hydra.launcher.n_jobs=2"))


@pytest.fixture
def ray_engine():
    if find_spec("ray") is None:
        pytest.skip("ray is not installed")
    return Engine(("hydra/launcher=ray", "hydra.launcher.local_cpus=2"), retries=True)


@pytest.fixture
def slurm_engine(slurm):
    if find_spec("submitit") is None:
        pytest.skip("submitit is not installed")
    return Engine(("hydra/launcher=slurm", "hydra.launcher.runs_per_job=2"), slurm.environment)


@pytest.fixture(
    params=[pytest.param(name, marks=pytest.mark.xdist_group(name)) if name == "slurm" else name for name in ENGINES]
)
def engine(request):
    return request.getfixturevalue(f"{request.param}_engine")


@pytest.fixture
def undisturbed(tmp_path_factory):
    return undisturbed_outcome(tmp_path_factory, *LONG)


@pytest.fixture
def sweep(engine, tmp_path):
    """Starts the sweep on the engine: with sweep(...) as process."""

    def start(*arguments):
        return started(*SWEEP, *engine.overrides, *arguments, cwd=tmp_path, **engine.environment)

    return start


def finish(sweep, root, *arguments):
    """Start the sweep again and see that it does the rest."""
    with sweep(*arguments) as process:
        code = process.wait(300)
    said = (root.parent / "out.txt").read_text()
    assert code == 0, said
    assert set(states(root).values()) == {"finished"}
    return said


def nobody_works(root):
    return all(holder(root / name) is None for name in RUNS)


def at_work(root, since=0.0):
    """The runs that have something to go on from that is newer than ``since``, and the process that does each (Linux)."""
    new = [name for name in begun(root) if (root / name / "checkpoints" / "last.ckpt").stat().st_mtime > since]
    found = {name: holder(root / name) for name in new}
    return {name: pid for name, pid in found.items() if pid is not None}


def go_on(root, had):
    """Whether no run has begun again from its first epoch since it had something to go on from: ``had``, its starts then."""
    return starts(root, had) == had


def test_a_study_that_is_interrupted_and_killed_gives_the_same_bits_as_one_that_is_not(sweep, tmp_path, undisturbed):
    """Ctrl-C ends everything, a killed launcher leaves nothing that stands in the way, and what is finished stays so."""
    root = tmp_path / "sweep"
    with sweep(*LONG) as process:
        until(lambda: at_work(root))
        had = starts(root, at_work(root))
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(300) == 130
        until(lambda: nobody_works(root))
    assert "Traceback" not in (tmp_path / "out.txt").read_text()
    again = time.time()
    with sweep(*LONG) as process:
        until(lambda: at_work(root, again))
        had = starts(root, at_work(root)) | had
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        until(lambda: nobody_works(root))  # orphans end or finish
    assert "Traceback" not in finish(sweep, root, *LONG)
    assert outcome(root) == undisturbed
    assert go_on(root, had)
    assert (root / "report.html").is_file()
    assert "4 runs in sweep: 4 already finished" in finish(sweep, root, *LONG)


FAILING = ("model=conv", "seed=0", "optimizer.lr=1e30,1e29,1e28,1e-3")
FAILING_RUNS = ("lr1e+30", "lr1e+29", "lr1e+28", "lr0.001")  # all but the last


@pytest.mark.parametrize("engine", ["processes", "ray", "slurm"], indirect=True)  # tests/studies has it for one process
def test_a_failed_run_takes_no_other_with_it_unless_it_is_to(engine, sweep, tmp_path):
    root = tmp_path / "sweep"
    with sweep(*FAILING, "on_failure=stop") as process:
        code = process.wait(300)
    said = (tmp_path / "out.txt").read_text()
    first = states(root, FAILING_RUNS)
    assert code == 1, said
    assert set(first.values()) == {"failed"}, said
    assert len(first) <= 2, said  # those that had begun when the first failed
    assert all(f"{name}: missing" in said for name in FAILING_RUNS if name not in first)
    with sweep(*FAILING) as process:
        code = process.wait(300)
    said = (tmp_path / "out.txt").read_text()
    assert code == 1, said
    assert list(states(root, FAILING_RUNS).values()) == ["failed", "failed", "failed", "finished"]
    assert "Traceback" not in said
    assert all(f"{name}: failed" in said for name in FAILING_RUNS[:3])


@pytest.mark.parametrize("engine", [name for name in ENGINES if name != "one"], indirect=True)  # there it is the launcher
def test_a_killed_worker_takes_no_finished_run_with_it(engine, sweep, tmp_path, undisturbed):
    root = tmp_path / "sweep"
    with sweep(*LONG) as process:
        until(lambda: at_work(root))
        working = at_work(root)
        had = starts(root, working)
        os.kill(next(iter(working.values())), signal.SIGKILL)
        code = process.wait(300)
    said = (tmp_path / "out.txt").read_text()
    assert "Traceback" not in said, said
    assert code == (0 if engine.retries else 1), said
    assert (root / "report.html").is_file()
    lacking = [name for name in RUNS if states(root).get(name) != "finished"]
    assert bool(lacking) != engine.retries
    assert all(f"{name}: " in said for name in lacking)
    until(lambda: nobody_works(root))
    if lacking:
        finish(sweep, root, *LONG)
    assert outcome(root) == undisturbed
    assert go_on(root, had)
