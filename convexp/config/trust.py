"""What the configuration of a run folder may name: the folder may come from anybody (SECURITY.md)."""

import os
import re
from collections.abc import Iterator, Mapping
from typing import Any

from convexp.config.check import parsed
from convexp.config.instantiate import TARGET
from convexp.config.schema import Config
from convexp.config.targets import signature
from convexp.errors import ConfigError

# What each setting may name: what is defined in a room of this package, or classes of a package, none of which writes where it
# is told to. No attribute of anything is followed.
ROLES = {
    "model": r"convexp\.layers\.\w+\.[A-Z]\w*",
    "data": r"convexp\.data\.(digits|dsd|emnist|image_folder|npz|svhn|vision|waldo)\.\1",
    "optimizer": r"torch\.optim\.[A-Z]\w*",
    "scheduler": r"convexp\.training\.schedules\.[a-z]\w*|torch\.optim\.lr_scheduler\.[A-Z]\w*",
    "probes": r"convexp\.probes\.(?:behaviour|structure)\.\w+\.[A-Z]\w*",
    "logger": r"convexp\.tracking\.(tensorboard\.TensorBoard|metrics_csv\.MetricsCSV|trackers\.wandb)",
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
    for refusal in foreign(config).values():
        raise ConfigError(f"{refusal}; if you trust it, name its package in CONVEXP_TRUST")
    return config


def foreign(config: Config) -> dict[str, str]:
    """The packages that ``CONVEXP_TRUST`` would have to name, were this the configuration of a run folder, and why."""
    own = tuple(f"{name.strip()}." for name in os.environ.get("CONVEXP_TRUST", "").split(",") if name.strip())
    found: dict[str, str] = {}
    for setting, target in config.targets().items():
        for where, spec in _named(setting, target.spec()):
            name = str(spec[TARGET])
            refusal = None if name.startswith(own) else _refusal(where, name, spec)
            if refusal is not None:
                found.setdefault(name.rpartition(".")[0], refusal)
    return found


def _named(setting: str, value: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every mapping with a ``_target_``, however deep, by its setting."""
    if isinstance(value, dict):
        if TARGET in value:
            yield setting, value
        for key, item in value.items():
            yield from _named(f"{setting}.{key}", item)
    elif isinstance(value, list):
        for item in value:
            yield from _named(setting, item)


def _refusal(setting: str, name: str, spec: dict[str, Any]) -> str | None:
    """What is wrong with a target of a run folder."""
    if not _belongs(setting.partition(".")[0], name):
        return (
            f"{setting}.{TARGET}={name}: a run folder may only name convexp's own layers, sources, probes, schedules and "
            "loggers that stay in it, torch's optimizers, and callbacks that write nothing, each where it belongs"
        )
    if name.endswith(".trackers.wandb") and spec.get("offline") is not True:
        return f"{setting}.offline={spec.get('offline')}: a run folder may send nothing away"
    return None


def _belongs(role: str, name: str) -> bool:
    if re.fullmatch(ROLES[role], name) is None:
        return False
    if name.startswith("convexp."):
        try:
            signature(name)
        except LookupError:
            return False
    return True
