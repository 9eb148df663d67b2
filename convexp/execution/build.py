"""The parts of a run from its configuration: data set, network, optimizer, probes, loggers and callbacks."""

import functools

from lightning_fabric.utilities.exceptions import MisconfigurationException
from pytorch_lightning import LightningModule
from pytorch_lightning.callbacks import (
    Callback,
    DeviceStatsMonitor,
    LearningRateMonitor,
    ModelCheckpoint,
    StochasticWeightAveraging,
)
from pytorch_lightning.loggers import Logger
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from convexp.config import Config, Probing
from convexp.config.schema import Data
from convexp.config.signatures.settable import PROVIDED_ARGUMENTS
from convexp.data import Dataset, Source, prepare
from convexp.data.augment import Augmentation, Augmenter
from convexp.data.epochs import Epochs
from convexp.errors import ConfigError
from convexp.execution.makers import Maker, make, maker, naming_setting
from convexp.execution.network_plan import plan_network
from convexp.execution.pixel_statistics import PixelStatistics
from convexp.probes import Probe
from convexp.training.callbacks import restrict_paths
from convexp.training.parameter_groups import GroupedOptimizer
from convexp.training.plain_states import first_problem
from convexp.training.tasks.task import MakeOptimizer
from convexp.training.trainer import one_device_trainer, refused_by_lightning


def dataset(config: Config | Probing) -> Dataset:
    """Read and split the data set; consecutive runs with the same data settings share it."""
    return _dataset(config.data.model_dump_json(by_alias=True))


@functools.lru_cache(maxsize=1)  # the runs of a sweep mostly use the same images
def _dataset(settings: str) -> Dataset:
    data = Data.model_validate_json(settings)
    return prepare(data, make("data.source", data.source, Source))


def augmenter(config: Config, data: Dataset) -> Augmenter | None:
    """Make what augments the training images of ``data``; None if nothing does. It is tried on the first of them.

    Raises:
        ConfigError: naming the augmentation that cannot be made, or that does not return a batch as it should.
    """
    if not config.augment:
        return None
    steps = {name: make(f"augment.{name}", target, Augmentation) for name, target in config.augment.items()}
    for count, (name, target) in enumerate(config.augment.items(), start=1):
        tried = Augmenter(dict(list(steps.items())[:count]), config.data.classes)
        with naming_setting(f"augment.{name}", target):
            Epochs(data.train, data.shifts, config.seed, tried).__getitems__([*range(min(2, len(data.train)))])
    return Augmenter(steps, config.data.classes)


def network(config: Config, data: PixelStatistics) -> nn.Module:
    """Build the network, its weights drawn from torch's random state.

    Raises:
        ConfigError: if the wiring does not fit the skeleton, or the budget of ``match`` cannot be reached.
    """
    return plan_network(config).build(data)[0]


def optimization(config: Config, network: nn.Module) -> tuple[MakeOptimizer, Maker[LRScheduler] | None]:
    """Return what makes the optimizer from parameters, and what makes the schedule from an optimizer and ``total_steps``.

    Both are tried on the network's parameters, so that wrong settings are found before anything is written.

    Raises:
        ConfigError: if one of them does not take its settings, or a rule of ``optimizer.groups`` chooses no parameter.
    """
    make_optimizer: MakeOptimizer = maker("optimizer", config.optimizer, Optimizer)
    if config.optimizer.groups:
        make_optimizer = GroupedOptimizer(make_optimizer, network, config.optimizer.groups)
    with naming_setting("optimizer", config.optimizer):
        tried = make_optimizer(list(network.parameters()))
    if config.scheduler is None:
        return make_optimizer, None
    make_scheduler = maker("scheduler", config.scheduler, LRScheduler)
    with naming_setting("scheduler", config.scheduler):
        make_scheduler(tried, total_steps=2)
    return make_optimizer, make_scheduler


def task(
    config: Config,
    network: nn.Module,
    make_optimizer: MakeOptimizer | None = None,
    make_scheduler: Maker[LRScheduler] | None = None,
) -> LightningModule:
    """Make the LightningModule that trains and evaluates ``network``.

    With ``trainer.precision=64-true`` their weights are in double precision from now on.

    Raises:
        ConfigError: if it does not take its settings.
    """
    made = maker("task", config.task, LightningModule, *PROVIDED_ARGUMENTS["task"])
    with naming_setting("task", config.task):
        module = made(network=network, make_optimizer=make_optimizer, make_scheduler=make_scheduler)
    if config.trainer.precision == "64-true":  # Lightning does it after it has loaded the weights of a checkpoint
        module.double()
    return module


def probes(config: Config | Probing) -> dict[str, Probe]:
    """Make the probes, by name."""
    return {name: make(f"probes.{name}", target, Probe) for name, target in (config.probes or {}).items()}


def loggers(config: Config) -> list[Maker[Logger]]:
    """Return what makes the loggers from ``folder`` and ``purge_step``.

    ``purge_step`` is the first step that a resumed run writes again, and None for a run that starts at the beginning.
    """
    targets = (config.logger or {}).items()
    return [maker(f"logger.{name}", target, Logger, *PROVIDED_ARGUMENTS["logger"]) for name, target in targets]


def callbacks(config: Config) -> list[Callback]:
    """Make the callbacks that the configuration adds.

    Raises:
        ConfigError: also if one of them needs a logger and there is none, if its state is not made of plain values, if what it
            does is not tested, or if Lightning refuses them, as it does two that a checkpoint could not tell apart, or a second
            progress bar.
    """
    made = {name: make(f"callbacks.{name}", target, Callback) for name, target in (config.callbacks or {}).items()}
    has_logger = bool(config.logger) and not config.trainer.fast_dev_run
    for name, callback in made.items():
        if isinstance(callback, LearningRateMonitor | DeviceStatsMonitor) and not has_logger:
            raise ConfigError(f"callbacks.{name} ({type(callback).__name__}): needs a logger, and this run has none")
        if isinstance(callback, StochasticWeightAveraging):
            raise ConfigError(
                f"callbacks.{name} ({type(callback).__name__}): averages weights after the last validation, and what is tested "
                "is the best network of a validation; ema=0.99 validates and tests an average"
            )
        if isinstance(callback, ModelCheckpoint):
            restrict_paths(callback)
        if problem := first_problem(callback.state_dict()):
            raise ConfigError(f"callbacks.{name} ({type(callback).__name__}): its state_dict {problem}")
    if made:
        with refused_by_lightning("callbacks", MisconfigurationException, RuntimeError):
            one_device_trainer(config, callbacks=list(made.values()), logger=False, enable_progress_bar=False)
    return list(made.values())
