"""What the configuration of a run folder may name: the folder may come from anybody (SECURITY.md)."""

import os
import re
from collections.abc import Mapping
from typing import Any

from convexp.config.check import parsed
from convexp.config.schema import Config
from convexp.config.targets import signature
from convexp.errors import ConfigError
from convexp.instantiate import TARGET

# What each setting may name: what is defined in a room of this package, or classes of a package, none of which writes where it
# is told to. No attribute of anything is followed.
ROLES = {
    "model": r"convexp\.layers\.\w+\.[A-Z]\w*",
    "data": r"convexp\.data\.(digits|dsd|emnist|image_folder|npz|svhn|vision|waldo)\.\1",
    "optimizer": r"torch\.optim\.[A-Z]\w*",
    "scheduler": r"convexp\.training\.schedules\.[a-z]\w*|torch\.optim\.lr_scheduler\.[A-Z]\w*",
    "probes": r"convexp\.probes\.\w+\.[A-Z]\w*",
    "logger": r"convexp\.training\.(tensorboard\.TensorBoard|metrics_csv\.MetricsCSV|trackers\.wandb)",
    "callbacks": r"convexp\.training\.callbacks\.early_stopping|pytorch_lightning\.callbacks\."
    r"(EarlyStopping|GradientAccumulationScheduler|LearningRateMonitor|StochasticWeightAveraging|Timer)",
}


def trusted(values: Mapping[Any, Any]) -> Config:
    """The configuration of a run folder, once all it names is known to be harmless; so far, nothing that it names is looked at.

    Every ``_target_``, however deep, must be a layer, a source, a probe, an optimizer, a schedule, one of a few callbacks, or a
    logger that writes into the run folder. ``CONVEXP_TRUST`` names further packages, with commas, for people who train wirings,
    data or probes of their own.

    Raises:
        ConfigError: naming the setting.
    """
    config = parsed(values)
    own = tuple(f"{name.strip()}." for name in os.environ.get("CONVEXP_TRUST", "").split(",") if name.strip())
    for setting, target in config.targets().items():
        _check(setting, target.spec(), own)
    return config


def _is_trusted(role: str, name: str, own: tuple[str, ...]) -> bool:
    if name.startswith(own):
        return True
    if re.fullmatch(ROLES[role], name) is None:
        return False
    if name.startswith("convexp."):
        try:
            signature(name)
        except LookupError:
            return False
    return True


def _check(setting: str, value: Any, own: tuple[str, ...]) -> None:
    if isinstance(value, dict):
        if TARGET in value:
            _check_target(setting, value, own)
        for key, item in value.items():
            _check(f"{setting}.{key}", item, own)
    elif isinstance(value, list):
        for item in value:
            _check(setting, item, own)


def _check_target(setting: str, spec: dict[str, Any], own: tuple[str, ...]) -> None:
    name = spec[TARGET]
    package = "; if you trust it, name its package in CONVEXP_TRUST"
    if not _is_trusted(setting.partition(".")[0], name, own):
        raise ConfigError(
            f"{setting}.{TARGET}={name}: a run folder may only name convexp's own layers, sources, probes, schedules and "
            f"loggers that stay in it, torch's optimizers, and callbacks that write nothing, each where it belongs{package}"
        )
    if name.endswith(".trackers.wandb") and not name.startswith(own) and spec.get("offline") is not True:
        raise ConfigError(f"{setting}.offline={spec.get('offline')}: a run folder may send nothing away{package}")
