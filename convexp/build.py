"""From a checked configuration to objects: the only place that calls Hydra's ``instantiate``."""

import functools
import inspect
from pathlib import Path
from typing import Any, Protocol

import torch
from hydra.errors import InstantiationException
from hydra.utils import instantiate
from pytorch_lightning.loggers import Logger

from convexp.config import Config
from convexp.config.schema import Data, Target
from convexp.data import Dataset, prepare
from convexp.errors import ConfigError
from convexp.models import Network, match_width
from convexp.probes import Probe
from convexp.training.module import MakeOptimizer, MakeScheduler


def make(setting: str, target: Target, **provided: Any) -> Any:
    """Instantiate ``target``, or the partial of it, with ``provided`` besides its own settings.

    Raises:
        ConfigError: naming ``setting``, if there is no such thing or it does not take these settings.
    """
    try:
        made = instantiate(target.spec(), **provided)
    except InstantiationException as error:
        cause = error.__cause__
        if isinstance(cause, ConfigError):
            raise cause from None
        reason = str(cause) if cause is not None else str(error).splitlines()[0]
        raise ConfigError(f"{setting} ({target.target}): {reason}") from None
    if isinstance(made, functools.partial):
        try:
            inspect.signature(made.func).bind_partial(**made.keywords)
        except TypeError as error:
            raise ConfigError(f"{setting} ({target.target}): {error}") from None
    return made


@functools.lru_cache(maxsize=1)  # the runs of a sweep mostly use the same images
def _dataset(settings: str) -> Dataset:
    data = Data.model_validate_json(settings)
    return prepare(data, make("data.source", data.source))


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


def network(config: Config, data: Pixels) -> tuple[Network, float]:
    """The network, with fresh weights drawn from torch's random state, and the width that ``match`` asked for.

    Raises:
        ConfigError: if the wiring does not go with the skeleton, or ``match`` cannot be reached.
    """
    wiring = make("model.wiring", config.model.wiring)
    skeleton = config.model.skeleton(config.data.input_shape, config.data.classes).scaled(config.model.width)
    try:
        width = match_width(skeleton, wiring, config.match)
        return Network(skeleton.scaled(width), wiring, data.mean, data.std), config.model.width * width
    except ValueError as error:
        raise ConfigError(f"model ({config.model.name}): {error}") from None


def optimization(config: Config) -> tuple[MakeOptimizer, MakeScheduler | None]:
    """What makes the optimizer from parameters, and the schedule from an optimizer and ``total_steps``.

    Both are tried on a parameter of one number, so that wrong settings are found before anything is written.

    Raises:
        ConfigError: if one of them does not take its settings.
    """
    make_optimizer: MakeOptimizer = make("optimizer", config.optimizer)
    make_scheduler: MakeScheduler | None = None if config.scheduler is None else make("scheduler", config.scheduler)
    setting = "optimizer"
    try:
        tried = make_optimizer([torch.nn.Parameter(torch.zeros(1))])
        setting = "scheduler"
        if make_scheduler is not None:
            make_scheduler(tried, total_steps=2)
    except (ValueError, TypeError, RuntimeError) as error:
        raise ConfigError(f"{setting}: {error}") from None
    return make_optimizer, make_scheduler


def probes(config: Config) -> dict[str, Probe]:
    """The probes by name."""
    return {name: make(f"probes.{name}", target) for name, target in (config.probes or {}).items()}


def loggers(config: Config, folder: Path, purge_step: int | None) -> list[Logger]:
    """The loggers; a resumed run is told by ``purge_step`` from where it writes again."""
    return [
        make(f"logger.{name}", target)(folder=folder, purge_step=purge_step) for name, target in (config.logger or {}).items()
    ]


def callbacks(config: Config) -> list[Any]:
    """The callbacks that the configuration adds."""
    return [make(f"callbacks.{name}", target) for name, target in (config.callbacks or {}).items()]
