"""The benchmarks of what is set once for a whole process run: freed memory is kept, and subnormal numbers are zero."""

import re

import pytest
from benchmarks import bench


@pytest.mark.e2e
def test_steps_that_keep_freed_memory_have_fewer_page_faults():
    found = dict(re.findall(r"^(\w+: kept / default) +(\S+) x", bench("bench_heap"), re.MULTILINE))
    assert set(found) == {"ms: kept / default", "faults: kept / default", "MiB: kept / default"}
    assert float(found["faults: kept / default"]) < 0.1


@pytest.mark.e2e
def test_a_network_is_trained_with_subnormal_numbers_and_without():
    out = bench("bench_subnormals", "--wirings", "conv", "--epochs", "1")
    assert re.fullmatch(r"digits conv, 1 epochs: flushed / kept +\S+ .*, n = 1; kept: +0% subnormal, \S+ s\n", out)
