"""Memory that is freed is kept, unless somebody has decided otherwise."""

import platform
import subprocess
import sys

import pytest

PROGRAM = """
import resource
import sys
from convexp.machine.heap import keep_freed
import torch
keep_freed()
count = int(sys.argv[1])
for _ in range(20):
    torch.empty(count).zero_()
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
before = faults()
for _ in range(50):
    torch.empty(count).zero_()
print(faults() - before)
"""


@pytest.mark.e2e
@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
@pytest.mark.parametrize("count", [1 << 22, 1 << 24])
def test_memory_of_a_tensor_is_not_mapped_anew_at_each_step(count):
    """16 and 64 MiB are 4,096 and 16,384 pages; the kernel may map several at once."""

    def faults(environment):
        command = [sys.executable, "-c", PROGRAM, str(count)]
        return int(subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout)

    assert faults({}) < 500  # not one step in eight
    assert faults({"MALLOC_TRIM_THRESHOLD_": "131072", "MALLOC_MMAP_THRESHOLD_": "131072"}) > 50 * 8
