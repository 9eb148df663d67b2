"""What a training run is built from, before anything is written."""

from dataclasses import dataclass
from pathlib import Path

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback
from pytorch_lightning.loggers import Logger
from torch import nn

from convexp.config import Config
from convexp.config.checks.batches import check_batches
from convexp.data import Dataset
from convexp.data.augment import Augmenter
from convexp.errors import ConfigError
from convexp.execution import build
from convexp.execution.footprint import check_memory, check_relaxed_memory
from convexp.execution.makers import Maker
from convexp.execution.network_plan import NetworkPlan, plan_network
from convexp.execution.torch_setup import prepare_torch
from convexp.execution.trial import try_task
from convexp.models import LayerCost
from convexp.probes import Probe
from convexp.records import RunRecord
from convexp.records.plan_part import Sweep


@dataclass(frozen=True)
class Setup:
    """The parts of a run that its training does not change.

    Attributes:
        config: Configuration of the run.
        folder: Folder of the run.
        sweep: The sweep that the run belongs to; None if it belongs to none.
        data: The data set.
        plan: Plan of the network.
        probes: The probes by name.
        make_loggers: Callables that make the loggers; a ``fast_dev_run`` has none.
        augmenter: How training images are augmented; None if they are not.
    """

    config: Config
    folder: Path
    sweep: Sweep | None
    data: Dataset
    plan: NetworkPlan
    probes: dict[str, Probe]
    make_loggers: list[Maker[Logger]]
    augmenter: Augmenter | None

    @property
    def checkpoints(self) -> Path:
        """Folder of the checkpoints."""
        return self.folder / "checkpoints"


@dataclass(frozen=True)
class Trainee:
    """The parts of a run that its training changes.

    Attributes:
        network: The network.
        layers: Costs of its layers.
        module: Lightning's module, which holds the network.
        callbacks: Callbacks that the configuration adds.
    """

    network: nn.Module
    layers: list[LayerCost]
    module: pl.LightningModule
    callbacks: list[Callback]


def set_up(config: Config, folder: Path, previous: RunRecord | None, sweep: Sweep | None) -> Setup:
    """Read the data and build everything that does not depend on the seed.

    Args:
        config: Configuration of the run.
        folder: Folder of the run.
        previous: Record of an earlier start of the run; None if there is none.
        sweep: The sweep that the run belongs to; None if it belongs to none.

    Raises:
        ConfigError: if a setting is wrong, the training does not fit into memory, or the data is not that of the earlier start.
    """
    prepare_torch(config)
    data = build.dataset(config)
    check_batches(config.trainer, *data.batches(config.data.batch_size, config.data.eval_batch_size))
    _check_same_data(config, data, previous)
    plan = plan_network(config)
    check_memory(config, plan.count_layers(), data)
    augmenter = build.augmenter(config, data)
    probes, make_loggers = build.probes(config), build.loggers(config)
    return Setup(
        config=config,
        folder=folder,
        sweep=sweep,
        data=data,
        plan=plan,
        probes=probes,
        make_loggers=[] if config.trainer.fast_dev_run else make_loggers,
        augmenter=augmenter,
    )


def build_trainee(setup: Setup) -> Trainee:
    """Build the network with weights drawn from the seed, and its optimizer and callbacks in their initial state."""
    pl.seed_everything(setup.config.seed, workers=True, verbose=False)
    network, layers = setup.plan.build(setup.data)
    module = build.task(setup.config, network, *build.optimization(setup.config, network))
    try_task(setup.config, module, setup.data, setup.augmenter)
    callbacks = build.callbacks(setup.config)
    check_relaxed_memory(setup.config, network, layers, setup.data, callbacks)
    return Trainee(network, layers, module, callbacks)


def _check_same_data(config: Config, data: Dataset, previous: RunRecord | None) -> None:
    before = previous.data.checksum if previous else None
    if before is not None and before != data.checksum:
        raise ConfigError(
            f"data ({config.data.name}): the images have changed since this run was begun (checksum {before}, now "
            f"{data.checksum}); start a new one"
        )
