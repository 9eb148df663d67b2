"""Output never fails a run: closed pipes, closed streams, terminals that know ASCII only, full disks."""

import csv
import io
import os
import subprocess
import sys
import warnings
from pathlib import Path
from threading import Thread

import pytest
from conftest import SMALL, read
from fabricated_runs import kept, run
from hypothesis import given
from hypothesis import strategies as st

from convexp.records.log import logging_to
from convexp.terminal.streams import LenientStream, lenient_output
from convexp.terminal.warning_lines import forget_warnings, warnings_in_one_line

HEAD = "{} | head -1; exit ${{PIPESTATUS[0]}}"
ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


def shell(line, cwd, **environment):
    env = {**os.environ, **environment, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    return subprocess.run(["bash", "-c", line], cwd=cwd, env=env, capture_output=True, timeout=300, check=False)


@pytest.fixture
def runs(tmp_path):
    kept(tmp_path / "runs", *(run(seed, model) for seed in range(3) for model in ("conv", "local")))
    return tmp_path / "runs"


@given(text=st.text())
def test_what_can_be_encoded_is_written_as_it_is(text):
    raw = io.BytesIO()
    with io.TextIOWrapper(raw, encoding="ascii", newline="") as stream:
        lenient = LenientStream(stream)
        lenient.write(text)
        lenient.flush()
        written = raw.getvalue().decode("ascii")
    assert written == text if text.isascii() else len(written) >= len(text)


def test_signs_of_a_table_are_spelled():
    raw = io.BytesIO()
    with io.TextIOWrapper(raw, encoding="ascii") as stream:
        lenient = LenientStream(stream)
        lenient.write("98.7 ± 0.4, 4×4, ≈, é")
        lenient.flush()
        assert raw.getvalue() == b"98.7 +- 0.4, 4x4, ~, ?"


def test_nothing_is_raised_once_nobody_reads():
    reader, writer = os.pipe()
    os.close(reader)
    stream = os.fdopen(writer, "w")
    lenient = LenientStream(stream)
    for _ in range(3):
        assert lenient.write("x" * 100_000) == 100_000
        lenient.flush()
    assert os.write(writer, b"x") == 1  # what goes past Python is dropped, too
    stream.close()  # as at the interpreter's exit


def test_streams_are_given_back(capsys):
    before = sys.stdout
    with lenient_output():
        print("said")
    assert sys.stdout is before
    assert capsys.readouterr().out == "said\n"


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("how", "command"),
    [
        *((HEAD, command) for command in ("convexp-train --help", "convexp-eval --help", "convexp-report --help")),
        *((how, "convexp-train --cfg job") for how in (HEAD, "{} >&-", "{} >&- 2>&-", "{} > /dev/full")),
    ],
)
def test_commands_end_well(tmp_path, command, how):
    done = shell(how.format(command), tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.e2e
@pytest.mark.parametrize("how", [HEAD, "{} >&-", "{} > /dev/full"])
def test_a_mistake_keeps_its_code(tmp_path, how):
    done = shell(how.format("convexp-train model=cnov 2>&1"), tmp_path)
    assert done.returncode == 2


@pytest.mark.e2e
@pytest.mark.parametrize(("how", "environment"), [(HEAD, {}), ("{} >&-", {}), ("{} > out.txt", ASCII)])
def test_a_report_is_written_whoever_reads(tmp_path, runs, how, environment):
    done = shell(how.format("convexp-report runs"), tmp_path, **environment)
    assert (done.returncode, done.stderr) == (0, b"")
    assert {"report.html", "summary.md", "runs.csv"} <= {file.name for file in runs.iterdir()}
    if environment:
        assert b"+-" in (tmp_path / "out.txt").read_bytes()


def test_a_report_is_shown_where_it_cannot_be_written(call, runs):
    (runs / "report.html").mkdir()
    done = call("report", str(runs))
    assert done.code == 2
    assert "local" in done.out


@pytest.mark.e2e
def test_a_sweep_goes_on_when_nobody_reads(tmp_path):
    sweep = "convexp-train -m only_costs=true hydra.launcher.processes=1 hydra.sweep.dir=sweep model=conv,local,dense"
    done = shell(HEAD.format(sweep), tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.count(b"\n") == 1
    assert {read(tmp_path / "sweep" / name)["state"] for name in ("conv", "local", "dense")} == {"finished"}
    assert (tmp_path / "sweep" / "report.html").is_file()


def test_a_file_gets_a_line_an_epoch(call, tmp_path):
    done = call("train", *SMALL, "hydra.run.dir=run", "model=local")
    assert done.code == 0, done.err
    lines = [line for line in done.out.splitlines() if line.startswith("epoch ")]
    assert [line.split(":")[0] for line in lines] == ["epoch 1/2", "epoch 2/2"]
    table = (tmp_path / "run" / "metrics.csv").read_text().splitlines()
    rows = [row for row in csv.DictReader(table) if row["train/loss"]]
    for line, row in zip(lines, rows, strict=False):  # numbers of this epoch, not of the one before
        assert f"train/loss {float(row['train/loss']):.4g}" in line
        assert f"val/loss {float(row['val/loss']):.4g}" in line
    logged = (tmp_path / "run" / "train.log").read_text()
    assert "started at epoch 1" in logged
    assert "epoch 2, step" in logged
    for words in ("model=local", "trainer=cpu", "trainer.max_epochs=2", "model.channels=[2,2]"):
        assert words in done.out.splitlines()[0]
    assert "kernel_size" not in done.out  # as it is by default


def test_verbose_shows_every_setting(call):
    done = call("train", *SMALL, "hydra.run.dir=run", "only_costs=true", "hydra.verbose=true")
    assert done.code == 0, done.err
    assert "kernel_size" in done.out


def test_a_warning_is_said_once(call, capsys):
    forget_warnings()
    with warnings_in_one_line():
        for _ in range(3):
            warnings.showwarning("  of\n something", UserWarning, "here.py", 1)
    assert capsys.readouterr().err == "warning: of something\n"


def test_what_ends_a_thread_of_a_library_is_in_the_log_and_not_on_the_terminal(tmp_path, capsys):
    def fails():
        raise OSError("No space left on device")

    with logging_to(tmp_path / "train.log"):
        thread = Thread(target=fails)
        thread.start()
        thread.join()
    assert "a thread has ended (OSError: No space left on device)" in (tmp_path / "train.log").read_text()
    assert capsys.readouterr().err == ""
