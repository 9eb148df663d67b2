"""The benchmarks of many runs run."""

import subprocess
import sys

import pytest
from conftest import ROOT


@pytest.mark.e2e
def test_scale():
    command = [sys.executable, ROOT / "scripts" / "bench_scale.py", "--planned", "8", "--runs", "120", "--rounds", "1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    for what in ("plan, 100 seeds", "plan, all different", "again", "load, cold", "load, warm", "report", "each run"):
        assert what in done.stdout
