"""The benchmarks of many runs run."""

import pytest
from benchmarks import bench


@pytest.mark.e2e
def test_scale():
    out = bench("bench_scale", "--planned", "8", "--runs", "120")
    for what in ("plan, 100 seeds", "plan, all different", "again", "load, cold", "load, warm", "report", "each run"):
        assert what in out
