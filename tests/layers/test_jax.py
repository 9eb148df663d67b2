"""Agreement with the one other library that has a locally connected layer, in values and gradients."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.e2e

PROGRAM = Path(__file__).parent / "jax_cases.py"

# channels in and out, kernel, input, stride, padding, dilation
CASES = [
    (1, 1, [3], [7], [1], [0], [1]),
    (2, 3, [2], [9], [2], [1], [3]),
    (2, 3, [3, 2], [5, 6], [1, 1], [1, 0], [1, 1]),
    (3, 4, [2, 3], [7, 6], [2, 1], [0, 2], [1, 2]),
    (2, 2, [2, 1, 2], [4, 3, 4], [1, 1, 2], [1, 0, 1], [1, 1, 1]),
]


@pytest.fixture(scope="module")
def errors() -> list[float]:
    """In a process of its own: JAX's threads and its 64-bit switch are for a whole process."""
    if importlib.util.find_spec("jax") is None:
        pytest.skip("jax is not installed")
    done = subprocess.run(
        [sys.executable, str(PROGRAM), json.dumps(CASES)], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.e2e
@pytest.mark.parametrize("case", range(len(CASES)), ids=[str(case) for case in CASES])
def test_values_and_gradients_agree(case, errors):
    assert errors[case] < 1e-11
