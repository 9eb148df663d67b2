import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from convexp.layers import triton_local
from convexp.layers.triton_local import tiles

pytestmark = pytest.mark.skipif(not triton_local.AVAILABLE, reason="triton is missing or too old")
if triton_local.AVAILABLE:
    from triton_cases import CASES
else:
    CASES = {}

PROGRAM = Path(__file__).parent / "triton_cases.py"
Errors = dict[str, dict[str, float]]


def run(device: str, interpret: str) -> Errors:
    """In a process of its own: Triton decides when imported how kernels run."""
    done = subprocess.run(
        [sys.executable, "-W", "error", str(PROGRAM), device],
        cwd=PROGRAM.parents[2],
        env={**os.environ, "TRITON_INTERPRET": interpret, "PYTHONPATH": str(PROGRAM.parents[2])},
        capture_output=True,
        text=True,
        timeout=570,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def interpreted() -> Errors:
    return run("cpu", interpret="1")


@pytest.mark.e2e
@pytest.mark.parametrize("case", CASES)
def test_kernels_agree_with_batched_gemm(case, interpreted):
    assert max(interpreted[case].values()) <= 1, interpreted[case]


@pytest.mark.e2e
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU: the compiled kernels")
def test_compiled_kernels_agree_with_batched_gemm():
    wrong = {case: errors for case, errors in run("cuda", interpret="0").items() if max(errors.values()) > 1}
    assert not wrong


@pytest.mark.skipif(triton_local.INTERPRETED, reason="the interpreter takes what lies on the CPU")
def test_other_operands_are_left_to_batched_gemm():
    x, weight = torch.zeros(1, 2, 3), torch.zeros(2, 4, 2, 2)
    assert not triton_local.supports(x, weight)
    assert not triton_local.supports(x.double(), weight.double())
    assert not triton_local.supports(x.half(), weight)


def test_tiles_are_cut_to_the_product():
    run = tiles.RUNS[0]
    for extents, tile in (((1, 1, 1), (16, 16, 16)), ((17, 500, 20), (32, 64, 32)), ((64, 33, 9), (64, 64, 16))):
        assert tiles.fitted(run, extents).tile == tile
