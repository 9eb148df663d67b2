"""From a checked configuration to objects, each of the kind that its setting needs."""

import functools
import inspect
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import torch
from lightning_fabric.utilities.exceptions import MisconfigurationException
from pytorch_lightning.callbacks import Callback, DeviceStatsMonitor, LearningRateMonitor
from pytorch_lightning.loggers import Logger
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from convexp.config import Config, instantiate
from convexp.config.check import PROVIDED
from convexp.config.schema import Data, Target
from convexp.data import Dataset, Source, prepare
from convexp.errors import ConfigError, one_line
from convexp.geometry.skeleton import Skeleton
from convexp.models import LayerCount, Network, count, match_width
from convexp.probes import Probe
from convexp.training.trainer import one_process_trainer

T = TypeVar("T")


@contextmanager
def _named(setting: str, target: Target) -> Generator[None]:
    """Whatever a user's class raises, as one line that names the setting."""
    try:
        yield
    except ConfigError:
        raise
    except Exception as error:
        kind = "" if isinstance(error, ValueError | TypeError | ImportError | AttributeError) else f"{type(error).__name__}: "
        raise ConfigError(f"{setting} ({target.target}): {kind}{one_line(error)}") from None


@dataclass(frozen=True)
class Maker(Generic[T]):
    """Makes a ``kind`` from its settings and what it is called with."""

    setting: str
    partial: functools.partial[Any]
    kind: type[T]

    def __call__(self, *args: Any, **provided: Any) -> T:
        """Make it.

        Raises:
            ConfigError: if it is something else.
        """
        made = self.partial(*args, **provided)
        if not isinstance(made, self.kind):
            raise ConfigError(f"{self.setting}: makes a {type(made).__name__}; should make a {_path(self.kind)}")
        return made


def _path(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def maker(setting: str, target: Target, kind: type[T], *provided: str) -> Maker[T]:
    """What makes a ``kind`` as ``target`` describes it, once it is called with what is ``provided`` by name.

    Raises:
        ConfigError: naming ``setting``, if there is no such thing, it is of another kind, or it does not take these
            settings and what is provided.
    """
    with _named(setting, target):
        partial = instantiate.partial(target.spec())
        if isinstance(partial.func, type) and not issubclass(partial.func, kind):
            raise ConfigError(f"{setting}._target_={target.target}: should make a {_path(kind)}")
        inspect.signature(partial.func).bind_partial(**partial.keywords, **dict.fromkeys(provided))
    return Maker(setting, partial, kind)


def make(setting: str, target: Target, kind: type[T]) -> T:
    """Make ``target``.

    Raises:
        ConfigError: naming ``setting``, if that fails or what is made is no ``kind``.
    """
    with _named(setting, target):
        return maker(setting, target, kind)()


@functools.lru_cache(maxsize=1)  # the runs of a sweep mostly use the same images
def _dataset(settings: str) -> Dataset:
    data = Data.model_validate_json(settings)
    return prepare(data, make("data.source", data.source, Source))


def dataset(config: Config) -> Dataset:
    """The data set, read once for runs in a row that use the same."""
    return _dataset(config.data.model_dump_json(by_alias=True))


class Pixels(Protocol):
    """What a network has to know of the images it will see, by channel."""

    @property
    def mean(self) -> list[float]:
        """Of the pixels, 0 to 1."""
        ...

    @property
    def std(self) -> list[float]:
        """Of the pixels, 0 to 1."""
        ...


@dataclass(frozen=True)
class Plan:
    """A network that is not made yet: its skeleton, as wide as ``match`` asked for, and its wiring."""

    name: str
    skeleton: Skeleton
    wiring: Maker[nn.Module]
    width: float

    def network(self, data: Pixels) -> tuple[Network, list[LayerCount]]:
        """The network, with fresh weights drawn from torch's random state, and its layers.

        Raises:
            ConfigError: if the wiring does not go with the skeleton.
        """
        with _one_line(self.name):
            made = Network(self.skeleton, self.wiring, data.mean, data.std)
            return made, count(made)

    def layers(self) -> list[LayerCount]:
        """Of the network, of which nothing is allocated (torch's meta device); torch's random state is left as it is."""
        channels = self.skeleton.input_shape[0]
        with torch.device("meta"):
            return self.network(Unseen([0.0] * channels, [1.0] * channels))[1]


@dataclass(frozen=True)
class Unseen:
    """Pixel statistics of images that nobody has looked at."""

    mean: list[float]
    std: list[float]


@contextmanager
def _one_line(name: str) -> Generator[None]:
    try:
        yield
    except (ValueError, TypeError, RuntimeError) as error:
        raise ConfigError(f"model ({name}): {one_line(error)}") from None


def plan(config: Config) -> Plan:
    """The network that ``config`` describes.

    Raises:
        ConfigError: if the wiring does not go with the skeleton, or ``match`` cannot be reached.
    """
    name = config.model.name
    wiring = maker("model.wiring", config.model.wiring, nn.Module, *PROVIDED["model.wiring"])
    skeleton = config.model.skeleton(config.data.input_shape, config.data.classes).scaled(config.model.width)
    with _one_line(name):
        width = match_width(skeleton, wiring, config.match)
        return Plan(name, skeleton.scaled(width), wiring, config.model.width * width)


def network(config: Config, data: Pixels) -> Network:
    """The network, with fresh weights drawn from torch's random state.

    Raises:
        ConfigError: as ``plan`` and ``Plan.network`` do.
    """
    return plan(config).network(data)[0]


def optimization(config: Config) -> tuple[Maker[Optimizer], Maker[LRScheduler] | None]:
    """What makes the optimizer from parameters, and the schedule from an optimizer and ``total_steps``.

    Both are tried on a parameter of one number, so that wrong settings are found before anything is written.

    Raises:
        ConfigError: if one of them does not take its settings.
    """
    make_optimizer = maker("optimizer", config.optimizer, Optimizer)
    with _named("optimizer", config.optimizer):
        tried = make_optimizer([nn.Parameter(torch.zeros(1))])
    if config.scheduler is None:
        return make_optimizer, None
    make_scheduler = maker("scheduler", config.scheduler, LRScheduler)
    with _named("scheduler", config.scheduler):
        make_scheduler(tried, total_steps=2)
    return make_optimizer, make_scheduler


def probes(config: Config) -> dict[str, Probe]:
    """The probes by name."""
    return {name: make(f"probes.{name}", target, Probe) for name, target in (config.probes or {}).items()}


def loggers(config: Config) -> list[Maker[Logger]]:
    """What makes the loggers of ``folder``; a resumed run tells by ``purge_step`` from where it writes again."""
    given = (config.logger or {}).items()
    return [maker(f"logger.{name}", target, Logger, *PROVIDED["logger"]) for name, target in given]


def callbacks(config: Config) -> list[Callback]:
    """The callbacks that the configuration adds.

    Raises:
        ConfigError: also for one that logs where there is no logger, and if Lightning does not take them (two that a checkpoint
            could not tell apart, a second progress bar).
    """
    made = {name: make(f"callbacks.{name}", target, Callback) for name, target in (config.callbacks or {}).items()}
    logs = bool(config.logger) and not config.trainer.fast_dev_run
    for name, callback in made.items():
        if isinstance(callback, LearningRateMonitor | DeviceStatsMonitor) and not logs:
            raise ConfigError(f"callbacks.{name} ({type(callback).__name__}): needs a logger, and this run has none")
    _try_out(config, list(made.values()))
    return list(made.values())


def _try_out(config: Config, callbacks: list[Callback]) -> None:
    if callbacks:
        try:
            one_process_trainer(config, callbacks=callbacks, logger=False, enable_progress_bar=False)
        except (MisconfigurationException, RuntimeError) as error:
            raise ConfigError(f"callbacks: {one_line(error)}") from None
