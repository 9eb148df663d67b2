"""What the configuration of a run folder may name: the folder may come from anybody."""

from typing import Any

from convexp.config.schema import Config
from convexp.errors import ConfigError

TRUSTED = ("convexp.", "torch.optim.", "torch.nn.", "pytorch_lightning.callbacks.", "pytorch_lightning.loggers.")


def check_trusted(config: Config) -> None:
    """Every ``_target_``, however deep, must lie in one of ``TRUSTED``.

    Raises:
        ConfigError: naming the setting.
    """
    for setting, target in config.targets().items():
        _check(setting, target.spec())


def _check(setting: str, value: Any) -> None:
    if isinstance(value, dict):
        name = value.get("_target_")
        if name is not None and not str(name).startswith(TRUSTED):
            raise ConfigError(f"{setting}._target_={name}: a run folder may only name {', '.join(t + '*' for t in TRUSTED)}")
        for key, item in value.items():
            _check(f"{setting}.{key}", item)
    elif isinstance(value, list):
        for item in value:
            _check(setting, item)
