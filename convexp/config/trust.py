"""What the configuration of a run folder may name: the folder may come from anybody."""

import os
from typing import Any

from convexp.config.schema import Config
from convexp.errors import ConfigError

TRUSTED = ("convexp.", "torch.optim.", "torch.nn.", "pytorch_lightning.callbacks.", "pytorch_lightning.loggers.")


def check_trusted(config: Config) -> None:
    """Every ``_target_``, however deep, must lie in one of ``TRUSTED`` or in a package that ``CONVEXP_TRUST`` names.

    ``CONVEXP_TRUST`` is a list of packages with commas, for people who train wirings, data or probes of their own.

    Raises:
        ConfigError: naming the setting.
    """
    own = (name.strip() for name in os.environ.get("CONVEXP_TRUST", "").split(","))
    trusted = (*TRUSTED, *(f"{name}." for name in own if name))
    for setting, target in config.targets().items():
        _check(setting, target.spec(), trusted)


def _check(setting: str, value: Any, trusted: tuple[str, ...]) -> None:
    if isinstance(value, dict):
        name = value.get("_target_")
        if name is not None and not str(name).startswith(trusted):
            raise ConfigError(
                f"{setting}._target_={name}: a run folder may only name {', '.join(t + '*' for t in trusted)}; "
                "if you trust this one, name its package in CONVEXP_TRUST"
            )
        for key, item in value.items():
            _check(f"{setting}.{key}", item, trusted)
    elif isinstance(value, list):
        for item in value:
            _check(setting, item, trusted)
