"""The proof on a GPU runs on a CPU, and says what went wrong."""

import json
import math
import subprocess
import sys
import time
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
    gpu_check.run_check(gpu_check.Check("broken", 10), "cpu", tmp_path / "rows")
    first, second = (Row(**json.loads(line)) for line in (tmp_path / "rows").read_text().splitlines())
    assert first.outcome == "ok"
    assert (second.outcome, second.note) == ("failed", "ValueError: of the device")
    assert "in check" in second.traceback


@pytest.mark.e2e
def test_a_check_that_takes_too_long_is_stopped(gpu_check, tmp_path, monkeypatch):
    monkeypatch.setattr(gpu_check, "SHORTEST", 0.0)
    rows = gpu_check.in_process(gpu_check.Check("runs", 60), "cpu", tmp_path, time.monotonic() + 0.5)
    assert [row.outcome for row in rows] == ["failed", "measured"]
    assert "was stopped" in rows[0].note
    monkeypatch.setattr(gpu_check, "SHORTEST", 5.0)
    assert gpu_check.in_process(gpu_check.Check("runs", 60), "cpu", tmp_path, time.monotonic())[0].what == "not run"


@pytest.mark.e2e
def test_checks_run_on_a_cpu_and_write_table_and_json(tmp_path):
    """Those that take seconds there; the others start runs, which have tests of their own, or compile."""
    names = ["graphs", "memory"]
    command = [sys.executable, ROOT / "scripts" / "gpu_check.py", "--device", "cpu", "--only", ",".join(names)]
    done = subprocess.run([*command, "--out", str(tmp_path)], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    written = json.loads((tmp_path / "gpu_check.json").read_text())
    assert list(written["checks"]) == names
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
