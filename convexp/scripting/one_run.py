"""``convexp.train``: one run in the process of the caller."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from omegaconf import DictConfig, open_dict, read_write

from convexp.cli.preflight import prepare_run
from convexp.cli.train import single_run
from convexp.config.checks.processes import check_no_torchrun
from convexp.config.hydra_context import hydra_values, without_hydra
from convexp.errors import ConfigError
from convexp.imports.lightning import import_lightning
from convexp.scripting.caller import in_process_of_caller
from convexp.scripting.composing import Folder, command_line, compose_run
from convexp.terminal import console

if TYPE_CHECKING:
    from convexp.execution.restore import OpenedRun

WITHOUT_CHECKPOINT = ("only_costs", "trainer.fast_dev_run", "dry_run")


def train(
    *overrides: str,
    config_dir: Folder | None = None,
    folder: Folder | None = None,
    resume: Folder | None = None,
    progress: bool = True,
) -> "OpenedRun":
    """Train a network, test and measure it, as ``convexp-train`` does, and return the opened run.

    The run is that of the command: the same settings give the same identity, the same bits and the same run folder, with which
    the commands and ``convexp.runs`` work. A run that is finished is returned and not trained again. The calling process is
    left as it was.

    Example::

        import convexp

        run = convexp.train("model=local", "data=mnist", "trainer.max_epochs=3", folder="outputs/mine")
        run.record.metrics["test/acc"]
        images, labels = run.data.test.first(100)
        run.network(images)  # (100, 10)

    Args:
        *overrides: Settings as on the command line.
        config_dir: Folder with YAML files of your own, as ``--config-dir``.
        folder: Folder of the run, as ``hydra.run.dir``; None for one with the name of the run and the time in ``outputs/runs``.
        resume: Folder of a run to resume, as ``resume``.
        progress: Whether to print what the command prints, with a progress bar in a terminal and in a notebook.

    Returns:
        The run as ``convexp.runs.open`` returns it.

    Raises:
        ConfigError: if a setting is wrong, in one line, before anything is written.
        ConvexpError: if the training diverges, for example; the record of the run says so, too.
        KeyboardInterrupt: after Ctrl-C or SIGTERM; ``convexp.train(resume=folder)`` resumes the run.
    """
    with in_process_of_caller(progress):
        check_no_torchrun("convexp.train")
        cfg = compose_run(command_line(overrides, config_dir, hydra__run__dir=folder, resume=resume))
        _check_checkpoint(cfg)
        prepare_run(cfg)
        path = _store_output_dir(cfg)
        with console.status("loading torch"):
            import_lightning()  # first: it keeps itself and torch from importing what a run does not need
            from convexp.scripting.torch_state import torch_of_caller
        with torch_of_caller(), hydra_values(cfg):
            from convexp.execution.restore import open_trained

            done = single_run(without_hydra(cfg), path)
            return open_trained(
                done.config.model_copy(update={"logger": None, "callbacks": None, "augment": None}), done.folder
            )


def _check_checkpoint(cfg: DictConfig) -> None:
    for setting in WITHOUT_CHECKPOINT:
        section, _, name = setting.rpartition(".")
        value = (cfg[section] if section else cfg).get(name)
        if value:  # True, or a number of batches
            raise ConfigError(
                f"{setting}={str(value).lower()}: leaves no network that could be returned; use the command, or convexp.sweep"
            )


def _store_output_dir(cfg: DictConfig) -> Path:
    """Store the folder of the run where Hydra stores it when it starts a job."""
    path = Path(os.path.abspath(cfg.hydra.run.dir))  # noqa: PTH100 as Hydra does it: links stay as they are
    with read_write(cfg.hydra.runtime), open_dict(cfg.hydra.runtime):
        cfg.hydra.runtime.output_dir = str(path)
    return path
