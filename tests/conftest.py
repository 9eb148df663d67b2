import functools
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from forked import Forked
from hypothesis import settings
from remembered import RememberedLine, remember_merged_files
from shared import made_once

pytest_plugins = ["browser", "garbage", "kinds", "slurm", "wheels"]

os.environ.setdefault("GOMP_SPINCOUNT", "3000")  # as convexp.cli.application sets them; before torch is imported
os.environ.setdefault("KINETO_LOG_LEVEL", "99")
KEYS = tempfile.TemporaryDirectory(prefix="convexp-key-")  # not the key of whoever runs the tests
os.environ.setdefault("CONVEXP_KEY", f"{KEYS.name}/key")  # pytest-xdist's workers inherit it
if "PYTEST_XDIST_WORKER" in os.environ:  # side by side, each process has one core
    os.environ.setdefault("OMP_NUM_THREADS", "1")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in the background of a shell; processes of the tests inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("patient", parent=settings.default, deadline=None)  # a busy machine is no failure
settings.load_profile("patient")

ROOT = Path(__file__).parent.parent
STDERR = os.dup(2)  # before pytest captures it


@pytest.hookimpl(tryfirst=True)
def pytest_keyboard_interrupt(excinfo: pytest.ExceptionInfo[BaseException]) -> None:
    """Of a process of pytest-xdist, in which a signal has interrupted a test, nobody else says where that was."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        os.write(STDERR, f"{os.environ['PYTEST_XDIST_WORKER']} was interrupted\n{excinfo.getrepr(style='short')}\n".encode())


@dataclass
class Done:
    code: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def as_in_a_new_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What a run leaves behind in its process reaches no other test.

    It has made subnormal numbers 0, was asked to stop, or has imported modules of the user's own.
    """
    own, before = str(tmp_path_factory.getbasetemp()), {*sys.modules}

    def put_back() -> None:
        for name in sys.modules.keys() - before:
            if (getattr(sys.modules[name], "__file__", None) or "").startswith(own):
                del sys.modules[name]
        if "torch" in sys.modules:
            sys.modules["torch"].set_flush_denormal(False)
        if "convexp.machine.interruption" in sys.modules:
            sys.modules["convexp.machine.interruption"].forget()

    put_back()
    yield
    put_back()


@pytest.fixture(autouse=True)
def files_are_merged_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hydra merges the files of the same options once for all tests of a process."""
    remember_merged_files(monkeypatch)


@pytest.fixture
def program() -> Callable[..., Done]:
    """Runs a command, or a file of Python, in a process of its own: program("train", "seed=1", cwd=...).

    Unless it is to be ``fresh`` the process finds torch and what else takes long already imported.
    """

    def run(name: str, *arguments: str, cwd: Path, timeout: float = 300, fresh: bool = False, **environment: str) -> Done:
        variables = {**os.environ, "COLUMNS": "200", **environment}
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
            if fresh:
                command = [sys.executable, "-m", f"convexp.{name}", *arguments]
                process = subprocess.Popen(command, cwd=cwd, env=variables, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
            else:
                process = Forked(name if name.endswith(".py") else f"convexp.{name}", arguments, cwd, variables, out, err)
            try:
                code = process.wait(timeout)
            finally:
                process.kill()
            out.seek(0), err.seek(0)
            return Done(code, out.read(), err.read())

    return run


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Callable[..., Done]:
    """Runs a command in this process, in an empty folder: call("train", "seed=1"); the runs of a sweep, too."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])  # a command adds the folders of the user's own modules
    monkeypatch.setattr("convexp.config.differences.CommandLine", RememberedLine)

    def run(name: str, *arguments: str) -> Done:
        import importlib

        many = any(argument == "-m" or argument.startswith("study=") for argument in arguments)
        if name == "train" and many and not any("hydra.launcher." in word or "hydra/launcher" in word for word in arguments):
            arguments = (*arguments, "hydra.launcher.processes=1")
        monkeypatch.setattr(sys, "argv", [f"convexp-{name}", *arguments])
        capsys.readouterr()
        code = 0
        try:
            importlib.import_module(f"convexp.{name}").main()
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
        captured = capsys.readouterr()
        return Done(code, captured.out, captured.err)

    return run


SMALL = ("trainer=cpu", "trainer.max_epochs=2", "model.channels=[2,2]", "probes.shift_map.max_shift=1", "trainer.threads=1")


@pytest.fixture
def small_run(call: Callable[..., Done], tmp_path: Path) -> Callable[..., Path]:
    """Trains a tiny network on the digits; returns the run's folder."""

    def run(*overrides: str, folder: str = "run") -> Path:
        done = call("train", *SMALL, f"hydra.run.dir={folder}", *overrides)
        assert done.code == 0, done.err
        return tmp_path / folder

    return run


@pytest.fixture
def finished_run(call: Callable[..., Done], tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """As ``small_run``, for tests of what comes after a training: each configuration is trained once, and copied."""

    def run(*overrides: str, folder: str = "run") -> Path:
        def train(to: Path) -> None:
            done = call("train", *SMALL, f"hydra.run.dir={to / 'run'}", *overrides)
            assert done.code == 0, done.err

        name = hashlib.sha256("\0".join(overrides).encode()).hexdigest()[:16]
        return Path(shutil.copytree(made_once(tmp_path_factory, name, train) / "run", tmp_path / folder))

    return run


def before_batch(epoch: int, batch: int, act: Callable[[], object]) -> tuple[type, str, Callable]:
    """What to patch so that ``act`` is called before a batch of the training, of which a step of Lightning may have several."""
    from convexp.training.tasks.task import Task

    original, begun = Task.loss_and_step, []

    def acting(self, images_and_labels):
        step = self.current_epoch, self.trainer.fit_loop.epoch_loop.batch_idx  # the first batch of Lightning's step
        begun.append(step)
        if (step[0], step[1] + begun.count(step) - 1) == (epoch, batch):
            act()
        return original(self, images_and_labels)

    return Task, "loss_and_step", acting


def _interrupt() -> None:
    raise KeyboardInterrupt


@pytest.fixture
def interrupted_at(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, int], AbstractContextManager[None]]:
    """Ctrl-C in the middle of an epoch: with interrupted_at(epoch, batch): ..."""

    @contextmanager
    def at(epoch: int, batch: int):
        with monkeypatch.context() as patch:
            patch.setattr(*before_batch(epoch, batch, _interrupt))
            yield

    return at


@pytest.fixture
def asked_to_stop(monkeypatch: pytest.MonkeyPatch) -> Callable[..., AbstractContextManager[None]]:
    """SIGTERM in a batch, counted from 0, of the training or the validation: with asked_to_stop(epoch, batch): ..."""

    @contextmanager
    def at(epoch: int, batch: int, step: str = "training_step", send: Callable[[int], object] | None = None):
        from convexp.machine import interruption
        from convexp.training.tasks.classification import Classification

        def ask() -> None:
            send(signal.SIGTERM) if send else interruption.interrupt(signal.SIGTERM, None)

        original = getattr(Classification, step)

        @functools.wraps(original)  # Lightning looks at its signature
        def asking(self, images_and_labels, batch_idx):
            if self.current_epoch == epoch and batch_idx == batch:
                ask()
            return original(self, images_and_labels, batch_idx)

        with monkeypatch.context() as patch:
            patch.setattr(*(before_batch(epoch, batch, ask) if step == "training_step" else (Classification, step, asking)))
            yield

    return at


def read(folder: Path) -> dict:
    return json.loads((folder / "result.json").read_text())


@pytest.fixture
def data_dir() -> Path:
    """The folder with the real data sets; tests that need it are skipped where there is none (never in .ci/run)."""
    folder = os.environ.get("CONVEXP_DATA")
    if folder is None:
        if os.environ.get("CONVEXP_REQUIRE_DATA"):
            pytest.fail("CONVEXP_DATA is not set, and CONVEXP_REQUIRE_DATA says that it has to be")
        pytest.skip("needs CONVEXP_DATA")
    return Path(folder).resolve()
