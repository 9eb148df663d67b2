"""What the configuration of a run folder may name: the folder may come from anybody."""

import os
import re
from typing import Any

from convexp.config.schema import Config
from convexp.config.targets import signature
from convexp.errors import ConfigError

# Names that are defined in these rooms of this package, and classes of these packages: no attribute of anything is followed.
ROOMS = ("convexp.layers.", "convexp.data.", "convexp.probes.", "convexp.training.")
CLASSES = re.compile(r"(torch\.optim(\.lr_scheduler)?|pytorch_lightning\.callbacks)\.[A-Z][A-Za-z0-9]*")


def check_trusted(config: Config) -> None:
    """Every ``_target_``, however deep, must be a layer, a source, a probe, part of the training, an optimizer or a callback.

    ``CONVEXP_TRUST`` names further packages, with commas, for people who train wirings, data or probes of their own.

    Raises:
        ConfigError: naming the setting.
    """
    own = tuple(f"{name.strip()}." for name in os.environ.get("CONVEXP_TRUST", "").split(",") if name.strip())
    for setting, target in config.targets().items():
        _check(setting, target.spec(), own)


def _is_trusted(name: Any, own: tuple[str, ...]) -> bool:
    if not isinstance(name, str):
        return False
    if name.startswith(ROOMS):
        try:
            signature(name)
        except LookupError:
            return False
        return not name.rpartition(".")[2].startswith("_")
    return CLASSES.fullmatch(name) is not None or name.startswith(own or "\0")


def _check(setting: str, value: Any, own: tuple[str, ...]) -> None:
    if isinstance(value, dict):
        if "_args_" in value:
            raise ConfigError(f"{setting}._args_: a run folder may give arguments by name only")
        if "_target_" in value and not _is_trusted(value["_target_"], own):
            raise ConfigError(
                f"{setting}._target_={value['_target_']}: a run folder may only name what {', '.join(r + '*' for r in ROOMS)} "
                "define, torch's optimizers and Lightning's callbacks; if you trust this one, name its package in CONVEXP_TRUST"
            )
        for key, item in value.items():
            _check(f"{setting}.{key}", item, own)
    elif isinstance(value, list):
        for item in value:
            _check(setting, item, own)
