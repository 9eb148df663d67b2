"""The benchmark of augmentation runs."""

import subprocess
import sys

import pytest
from conftest import ROOT


@pytest.mark.e2e
def test_every_augmentation_is_measured():
    command = [sys.executable, ROOT / "scripts" / "bench_augment.py", "--rounds", "1", "--steps", "2"]
    done = subprocess.run([*command, "data=digits"], capture_output=True, text=True, timeout=300, check=True)
    for way in ("none", "flip", "crop", "cutout", "mixup", "rotate", "rand_augment", "flip, crop, cutout"):
        assert f"\n{way} " in f"\n{done.stdout}"
    assert done.stdout.count("of a step without") == 8
