"""Whatever an engine raises: a line that names the engine as the user chose it, the whole in a file, the report, code 1."""

import shlex

import pytest
from conftest import SMALL

from convexp.engines import joblib
from convexp.errors import ConvexpError

SWEEP = (
    "-m",
    *SMALL,
    "only_costs=true",
    "hydra.sweep.dir=sweep",
    "seed=0,1",
    "hydra/launcher=joblib",
    "hydra.launcher.n_jobs=1",
)


@pytest.fixture
def raising(monkeypatch):
    """An engine that raises: raising(error)."""

    def fail(error):
        def collect(*arguments):
            raise error

        monkeypatch.setattr(joblib, "collect", collect)

    return fail


def test_an_error_of_an_engine_is_told_in_a_line_and_kept_whole(call, tmp_path, raising, monkeypatch):
    file = tmp_path / "sweep" / "engine-error.txt"
    raising(RuntimeError("a bug\nin three\nlines"))
    done = call("train", *SWEEP)
    assert done.code == 1
    message, _, command = done.err.partition(", to go on: convexp-train ")
    assert message == (
        "convexp-train: hydra/launcher=joblib: RuntimeError: a bug in three lines (traceback in sweep/engine-error.txt); "
        "finished runs are kept"
    )
    assert command.endswith(" hydra.sweep.dir=sweep\n")
    assert sorted(shlex.split(command)) == sorted(SWEEP)
    assert "raise error" in file.read_text()
    assert "no run was started in sweep, so there is no report" in done.out
    raising(ConvexpError("the cluster does not answer"))
    done = call("train", *SWEEP)
    assert done.code == 1
    assert "hydra/launcher=joblib: the cluster does not answer; finished runs are kept" in done.err
    assert not file.exists()  # it was of the start before


def test_a_wrong_number_of_jobs_writes_nothing(call, tmp_path):
    done = call("train", *SWEEP, "hydra.launcher.n_jobs=0")
    assert done.code == 2
    assert "hydra.launcher.n_jobs=0: should be a whole number from 1 on, or -1" in done.err
    assert list(tmp_path.iterdir()) == []
