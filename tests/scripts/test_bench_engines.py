"""The benchmark of the pool of processes runs."""

import os
import subprocess
import sys

import pytest
from conftest import ROOT


@pytest.mark.e2e
def test_each_pool_is_measured_and_put_to_the_test():
    command = [sys.executable, ROOT / "scripts" / "bench_engines.py", "--rounds", "1", "--steps", "1"]
    done = subprocess.run(
        [*command, "--pools", "convexp", "executor"],
        env={**os.environ, "BENCH_IMPORTS": "json", "BENCH_WHILE": "4"},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    for pool in ("convexp", "executor"):
        for what in ("first job after (s)", "CPU (s)", "peak memory (MiB)"):
            assert f"{pool:9} {what}" in done.stdout
    assert "killed      convexp   jobs that were done: [0, 2, 3] of 0 to 3; the killed one is named: [1]" in done.stdout
    assert "killed      executor  jobs that were done: [] of 0 to 3; the killed one is named: no" in done.stdout
