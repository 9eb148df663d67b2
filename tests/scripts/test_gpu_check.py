"""The proof on a GPU runs on a CPU, and says what went wrong."""

import json
import math
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import ModuleType

import pytest
from conftest import ROOT


@pytest.fixture
def gpu_check(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "scripts")
    import gpu_check

    return gpu_check


def test_a_bound_holds_or_not_and_nan_never_does(gpu_check):
    from gpu_checks.rows import BAD, held, measured

    assert held("a", 1.0, 1.0).outcome == "ok"
    assert {held("a", value, 1.0).outcome for value in (1.1, math.inf, math.nan)} == {"wrong"}
    goal = measured("a", [3.0, 1.0, 2.0], "x", most=1.5)
    assert (goal.value, goal.low, goal.high, goal.n, goal.outcome) == (2.0, 1.0, 3.0, 3, "missed")
    assert goal.outcome not in BAD
    assert measured("a", [1.0], "x", most=1.5).outcome == "reached"


def test_what_was_found_before_an_error_is_kept(gpu_check, monkeypatch, tmp_path):
    from gpu_checks.rows import Row, true

    def check(bench):
        yield true("first", not bench.on_gpu)
        raise ValueError("of the device")

    module = ModuleType("gpu_checks.broken")
    module.check = check
    monkeypatch.setitem(sys.modules, "gpu_checks.broken", module)
    monkeypatch.setattr("torch.set_num_threads", lambda number: None)
    gpu_check.run_check(gpu_check.Check("broken", 10, 10), "cpu", tmp_path / "rows", 10)
    first, second = (Row(**json.loads(line)) for line in (tmp_path / "rows").read_text().splitlines())
    assert first.outcome == "ok"
    assert (second.outcome, second.note) == ("failed", "ValueError: of the device")
    assert "in check" in second.traceback


@pytest.mark.e2e
def test_a_check_that_takes_too_long_failed_and_one_that_there_was_no_time_for_did_not(gpu_check, tmp_path, monkeypatch):
    from gpu_checks import processes

    monkeypatch.setattr(processes, "SHORTEST", 0.0)
    cases = {"own time": (0.1, 60.0), "time of all": (60, 0.4), "no time": (60, -1.0)}
    found = {}
    for name, (own, left) in cases.items():
        runs = processes.Processes("cpu", tmp_path, time.monotonic() + left)
        runs.run([processes.Check("runs", own, own)], 1, lambda check, rows, name=name: found.update({name: rows}))
    assert {name: [row.outcome for row in rows] for name, rows in found.items()} == {
        "own time": ["failed", "measured"],
        "time of all": ["left out", "measured"],
        "no time": ["left out"],
    }
    assert "was stopped" in found["own time"][0].note


def test_a_check_is_left_out_on_a_gpu_if_much_less_time_is_left_than_it_needs(gpu_check, tmp_path, monkeypatch):
    from gpu_checks import processes

    monkeypatch.setattr(processes.Processes, "ended", lambda *_: 0)
    for left, begins in ((90.0, True), (40.0, False), (-5.0, False)):
        rows = processes.Processes("cuda", tmp_path, time.monotonic() + left).rows(processes.Check("speed", 100, 170))
        assert [row.outcome for row in rows] == ["measured" if begins else "left out"]
        assert begins or "it needs 50 s" in rows[0].note


def test_the_plan_fits_into_nine_minutes_if_each_check_takes_what_is_expected(gpu_check):
    """Of the 16 cores of the machine that the estimates are of, a quarter of which run side by side."""
    assert all(check.expected <= check.most for check in gpu_check.CHECKS)
    seconds = gpu_check.expected_seconds(gpu_check.CHECKS, 4)
    assert seconds <= 9 * 60
    assert gpu_check.expected_seconds(gpu_check.CHECKS, 1) == sum(check.expected for check in gpu_check.CHECKS)
    said = gpu_check.plan(list(gpu_check.CHECKS), 4, 9)
    assert f"about {seconds:.0f} s" in said
    assert all(f"{check.name} {check.expected} s" in said for check in gpu_check.CHECKS)


@pytest.mark.e2e
@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="processes are found by /proc")
def test_a_program_that_is_stopped_leaves_no_check_running(tmp_path):
    def running():
        found = []
        for file in Path("/proc").glob("[0-9]*/cmdline"):
            with suppress(OSError):
                found.append(file.read_bytes())
        return [line for line in found if str(tmp_path).encode() in line and b"--rows" in line]

    command = [sys.executable, ROOT / "scripts" / "gpu_check.py", "--device", "cpu", "--only", "resume,packing,memory"]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}  # the file of a check's rows lies there
    with subprocess.Popen([*command, "--out", str(tmp_path / "out")], env=environment) as program:
        until = time.monotonic() + 60
        while not running() and time.monotonic() < until:
            time.sleep(0.01)
        assert running()
        program.send_signal(signal.SIGTERM)
        assert program.wait(60) == 128 + signal.SIGTERM
    assert not running()
    assert [file.name for file in tmp_path.iterdir()] == ["out"]


def test_without_a_gpu_or_torch_one_line_says_so(gpu_check, monkeypatch, capsys):
    answers = iter(((0, "False\n", ""), (1, "", "Traceback\nModuleNotFoundError: No module named 'torch'\n")))
    monkeypatch.setattr(subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, *next(answers)))
    for words in ("torch sees no GPU", "torch cannot be imported: ModuleNotFoundError"):
        with pytest.raises(SystemExit) as ended:
            gpu_check.device_of("cuda")
        assert ended.value.code == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert words in line


@pytest.mark.e2e
def test_checks_run_on_a_cpu_and_write_table_and_json(tmp_path):
    """Those that take seconds there; the others start runs, which have tests of their own, or compile."""
    names = ["graphs", "memory"]
    command = [sys.executable, ROOT / "scripts" / "gpu_check.py", "--device", "cpu", "--only", ",".join(names)]
    done = subprocess.run([*command, "--out", str(tmp_path)], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    written = json.loads((tmp_path / "gpu_check.json").read_text())
    assert list(written["checks"]) == names
    assert all(written[what] for what in ("seconds", "date", "commit", "versions", "machine"))
    rows = [row for rows in written["checks"].values() for row in rows]
    assert not [row for row in rows if row["outcome"] in ("wrong", "failed")]
    assert sum(row["outcome"] == "not applicable" and "captured step" in row["what"] for row in rows) == 3
    table = (tmp_path / "gpu_check.md").read_text()
    assert all(row["what"] in table and row["what"] in done.stdout for row in rows)


@pytest.mark.e2e
def test_an_unknown_check_is_named():
    command = [sys.executable, ROOT / "scripts" / "gpu_check.py", "--device", "cpu", "--only", "kernel"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "there is no check kernel" in done.stderr
