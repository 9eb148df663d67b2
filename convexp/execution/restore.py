"""A run that was trained, restored from its folder alone."""

import warnings
from dataclasses import dataclass
from pathlib import Path

import torch
from pytorch_lightning import LightningModule
from torch import nn

from convexp.config import Config
from convexp.config.run_folder import CHECKPOINT, load_run_config
from convexp.config.user_paths import parse_path
from convexp.data import Dataset
from convexp.errors import ConfigError, one_line
from convexp.execution import build
from convexp.execution.evaluation import load_weights
from convexp.execution.torch_defaults import torch_defaults
from convexp.machine.own_code import changed
from convexp.records import RunRecord, read_record


@dataclass(frozen=True)
class OpenedRun:
    """A run to work with in a notebook.

    Attributes:
        folder: Folder of the run.
        config: Configuration of the run, without the loggers, callbacks and augmentations of its training.
        network: The network with the weights of the best checkpoint, on the CPU and in evaluation mode. It maps images
            ``(B, C, H, W)``, uint8 or float from 0 to 255, to logits ``(B, K)``.
        data: The training, validation and test images of the run; ``data.test.first(n)`` returns images and labels.
        record: Content of ``result.json``; None if that is damaged.
    """

    folder: Path
    config: Config
    network: nn.Module
    data: Dataset
    record: RunRecord | None


def open_run(run: str | Path, data_root: str | Path | None = None) -> OpenedRun:
    """Open a run: rebuild its network and its data, and load the best checkpoint.

    Nothing is written, and torch's random state and settings do not change. Code that is not part of convexp is refused, as
    ``convexp-eval`` refuses it.

    Example::

        from convexp import runs

        run = runs.open("outputs/runs/NAME")
        images, labels = run.data.test.first(100)
        (run.network(images).argmax(1) == labels).float().mean()

    Args:
        run: Folder of the run.
        data_root: Folder that the data lies in now, if it has moved.

    Raises:
        ConfigError: if the folder holds no run with a checkpoint, its configuration names code that is not trusted, or the data
            is not there.
    """
    folder = parse_path("run", run)
    return open_trained(load_run_config(folder, "run", data_root), folder)


def open_trained(config: Config, folder: Path) -> OpenedRun:
    """Open the run in ``folder``, of which ``config`` is known to be the configuration.

    Raises:
        ConfigError: if the checkpoint cannot be read.
    """
    restored = restore(config, folder)
    if restored.changed:
        warnings.warn(f"{folder}: {restored.changed}", stacklevel=4)  # whose code calls convexp.runs.open
    return OpenedRun(folder, config, restored.network.eval(), restored.data, restored.record)


@dataclass(frozen=True)
class Restored:
    """What a run was trained with, with the weights of its best checkpoint.

    Attributes:
        module: The LightningModule, which holds the network.
        network: The network.
        data: The data set.
        record: Content of ``result.json``; None if that is damaged.
        changed: Which code of the user's own is another one than the run's, in a sentence; empty if none is.
    """

    module: LightningModule
    network: nn.Module
    data: Dataset
    record: RunRecord | None
    changed: str


def restore(config: Config, folder: Path, data: Dataset | None = None) -> Restored:
    """Build the network and the data of ``config``, and load the weights of the best checkpoint in ``folder``.

    Torch's random state does not change, and the weights are on the CPU, in the run's precision, whatever torch's defaults are.

    Args:
        config: Configuration of the run.
        folder: Folder of the run.
        data: The data of ``config``, if there it is already; None: it is built.

    Raises:
        ConfigError: if the checkpoint cannot be read.
    """
    with torch.random.fork_rng(devices=[]), torch_defaults():  # the weights that are drawn here are replaced
        data = build.dataset(config) if data is None else data
        network = build.network(config, data)
        module = build.task(config, network)
    best, record = folder / CHECKPOINT, read_record(folder)
    files = changed(config.target_names(), record.versions if record else {})
    other_code = f"{', '.join(files)} changed since the run: its network is built with other code" if files else ""
    try:
        load_weights(module, best)
    except Exception as error:
        said = f"{best}: cannot be read ({type(error).__name__}: {one_line(error)})"
        raise ConfigError(f"{said}; {other_code}" if other_code else said) from None
    return Restored(module, network, data, record, other_code)
