"""Wheels of this repository and of its example package, built once for all tests."""

import subprocess
import sys
from pathlib import Path

import pytest
from shared import made_once

ROOT = Path(__file__).parent.parent.parent
EXAMPLE = ROOT / "examples" / "convexp-example"


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of convexp."""
    return _built(tmp_path_factory, ROOT)


@pytest.fixture(scope="session")
def example_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of the example package."""
    return _built(tmp_path_factory, EXAMPLE)


def _built(factory: pytest.TempPathFactory, project: Path) -> Path:
    def build(folder: Path) -> None:
        command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(project)]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    return next(made_once(factory, f"wheel-{project.name}", build).glob("*.whl"))
