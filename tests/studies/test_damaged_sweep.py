"""What stands in the place of a run's folder in a sweep takes no other run with it, and leads nowhere."""

import os

import pytest
from conftest import read

TINY = ("trainer=cpu", "trainer.threads=1", "trainer.max_epochs=1", "model.channels=[1]", "model.kernel_size=3")
TINY += ("data.train_size=64", "probes=none", "logger=none")
SWEEP = ("-m", *TINY, "hydra.sweep.dir=sweep", "seed=0,1")


def a_link_out(path, elsewhere):
    path.symlink_to(elsewhere)


def a_link_to_nothing(path, elsewhere):
    path.symlink_to(elsewhere / "nothing")


def a_link_in_a_circle(path, _):
    path.symlink_to(path.name)


def a_file(path, _):
    path.touch()


def a_pipe(path, _):
    os.mkfifo(path)


@pytest.mark.parametrize("odd", [a_link_out, a_link_to_nothing, a_link_in_a_circle, a_file, a_pipe])
def test_it_takes_no_other_run_with_it(call, tmp_path, odd):
    (tmp_path / "sweep").mkdir()
    (tmp_path / "elsewhere").mkdir()
    odd(tmp_path / "sweep" / "seed0", tmp_path / "elsewhere")
    done = call("train", *SWEEP)
    assert done.code == 1
    assert "Traceback" not in done.err
    assert "seed0" in done.err
    assert read(tmp_path / "sweep" / "seed1")["state"] == "finished"
    assert list((tmp_path / "elsewhere").iterdir()) == []
