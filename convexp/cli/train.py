"""convexp-train: one run, or with ``-m`` or ``study=NAME`` many."""

import traceback
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from convexp.cli.application import application
from convexp.errors import BusyError, ConfigError, ConvexpError, PrunedError, RefusedError
from convexp.machine.processes import torchrun_place
from convexp.records.contents import check_way
from convexp.records.folder import prune
from convexp.records.markers import is_stopped, mark_refused, mark_stopped
from convexp.records.record_file import read_record, write_failure
from convexp.terminal import console

if TYPE_CHECKING:
    from convexp.cli.run import ExecutedRun


def task(cfg: DictConfig) -> float | None:
    """Execute the run that ``cfg`` describes; Hydra calls this once for a single run, and for every run of a sweep.

    Returns:
        The best monitored value; None if nothing was trained, or a run of a sweep failed.
    """
    hydra_cfg = HydraConfig.get()
    folder = Path(hydra_cfg.runtime.output_dir)
    if hydra_cfg.mode == RunMode.MULTIRUN:
        return run_of_sweep(cfg, Path(hydra_cfg.runtime.cwd, hydra_cfg.sweep.dir), folder)
    return single_run(cfg, folder).monitored


def execute(cfg: DictConfig, folder: Path, in_sweep: bool) -> "ExecutedRun":
    """Execute a run as ``convexp.cli.run`` does; imported only now, so that help and wrong settings are answered sooner."""
    from convexp.cli.run import execute

    return execute(cfg, folder, in_sweep)


def single_run(cfg: DictConfig, folder: Path) -> "ExecutedRun":
    """Execute a run that belongs to no sweep.

    Raises:
        ConvexpError: if the run cannot be executed, which one line explains.
        KeyboardInterrupt: if it is interrupted.
        Exception: any other error, after its traceback is recorded in ``folder``.
    """
    try:
        return execute(cfg, folder, in_sweep=False)
    except ConvexpError:
        prune(folder)
        raise
    except KeyboardInterrupt:
        prune(folder)
        if cfg.get("resume") is None and not folder.exists():
            console.out.print("interrupted before the run had begun: nothing was kept")
        raise
    except Exception as error:
        if folder.is_dir():  # a resumed run has another folder, in which it recorded the error itself
            with suppress(OSError):  # a full disk must not hide the error
                write_failure(folder, traceback.format_exc(), config_error=False)
        if isinstance(error, OSError):
            raise ConvexpError(f"{console.display_path(folder)}: {error}") from error
        raise


def run_of_sweep(cfg: DictConfig, root: Path, folder: Path) -> float | None:
    """Execute a run of the sweep in ``root``, unless the sweep was stopped.

    An error is printed and recorded in ``folder``, and does not keep the other runs from being executed, unless
    ``on_failure=stop`` says so.
    """
    if is_stopped(root):
        prune(folder)
        return None
    try:
        check_way(root, folder)
        return execute(cfg, folder, in_sweep=True).monitored
    except BusyError:
        console.out.print(f"{folder.name}: another process is working on it", markup=False)
        return None
    except RefusedError as error:
        mark_refused(root, folder.name, str(error))
        console.print_error("convexp-train", f"{folder.name}: {error}")
        return None
    except PrunedError as error:
        console.out.print(f"{folder.name}: {error}", markup=False)
        return None
    except ConvexpError as error:
        message, reason, config_error = str(error), str(error), isinstance(error, ConfigError)
    except Exception as error:
        message, reason, config_error = f"{type(error).__name__}: {error}", traceback.format_exc(), False
    with suppress(OSError):  # a full disk must not end the other runs
        write_failure(folder, reason, config_error)
    if reason != message and (record := read_record(folder)) is not None and record.error:
        message += f" (traceback in {folder}/result.json)"
    console.print_error("convexp-train", f"{folder.name}: {message}")
    if cfg.get("on_failure") == "stop":
        mark_stopped(root)
    return None


hydra_main = application("convexp-train", "train", task)


def main() -> None:
    """The program; under torchrun rank 0 is the run, and the other processes train with it."""
    place = torchrun_place()
    if place is not None and place.rank:
        from convexp.execution.ddp_worker import join

        join()
    hydra_main()
    if place is not None:
        from convexp.execution.meeting import dismiss

        dismiss()


if __name__ == "__main__":
    from convexp.cli.train import main  # under its own name: worker processes import from there what they are sent

    main()
