"""What the configuration of a run folder may name: the folder may come from anybody."""

import os
import re
from typing import Any

from convexp.config.schema import Config
from convexp.config.targets import signature
from convexp.errors import ConfigError

# What each setting may name: what is defined in a room of this package, or classes of a package. No attribute of anything is
# followed, and no room holds a function that writes where it is told to.
ROLES = {
    "model": r"convexp\.layers\..*",
    "data": r"convexp\.data\..*",
    "optimizer": r"torch\.optim\.[A-Z][A-Za-z0-9]*",
    "scheduler": r"convexp\.training\..*|torch\.optim\.lr_scheduler\.[A-Z][A-Za-z0-9]*",
    "probes": r"convexp\.probes\..*",
    "logger": r"convexp\.training\..*",
    "callbacks": r"convexp\.training\..*|pytorch_lightning\.callbacks\.[A-Z][A-Za-z0-9]*",
}


def check_trusted(config: Config) -> None:
    """Every ``_target_``, however deep, must be a layer, a source, a probe, part of the training, an optimizer or a callback.

    ``CONVEXP_TRUST`` names further packages, with commas, for people who train wirings, data or probes of their own.

    Raises:
        ConfigError: naming the setting.
    """
    own = tuple(f"{name.strip()}." for name in os.environ.get("CONVEXP_TRUST", "").split(",") if name.strip())
    for setting, target in config.targets().items():
        _check(setting, target.spec(), own)


def _is_trusted(role: str, name: Any, own: tuple[str, ...]) -> bool:
    if not isinstance(name, str):
        return False
    if name.startswith(own or "\0"):
        return True
    if re.fullmatch(ROLES[role], name) is None:
        return False
    if name.startswith("convexp."):
        try:
            signature(name)
        except LookupError:
            return False
        return not name.rpartition(".")[2].startswith("_")
    return True


def _check(setting: str, value: Any, own: tuple[str, ...]) -> None:
    if isinstance(value, dict):
        if "_args_" in value:
            raise ConfigError(f"{setting}._args_: a run folder may give arguments by name only")
        if "_target_" in value and not _is_trusted(setting.split(".")[0], value["_target_"], own):
            raise ConfigError(
                f"{setting}._target_={value['_target_']}: a run folder may only name convexp's own layers, sources, probes and "
                "training, torch's optimizers and Lightning's callbacks, each where it belongs; if you trust this one, name "
                "its package in CONVEXP_TRUST"
            )
        for key, item in value.items():
            _check(f"{setting}.{key}", item, own)
    elif isinstance(value, list):
        for item in value:
            _check(setting, item, own)
