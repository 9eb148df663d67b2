"""Check the settings of the task that torch would refuse only in the first step."""

from typing import Any

from convexp.config.schema import Config
from convexp.errors import ConfigError


def check_task(config: Config) -> None:
    """Check the smoothing of labels, and that there is a weight for each class.

    Raises:
        ConfigError: naming the setting.
    """
    settings = config.task.spec()
    smoothing: Any = settings.get("label_smoothing", 0)
    if isinstance(smoothing, int | float) and not 0 <= smoothing < 1:
        raise ConfigError(f"task.label_smoothing={smoothing}: should be at least 0 and below 1")
    weights: Any = settings.get("class_weights")
    if isinstance(weights, list):
        _check_class_weights(weights, config.data.classes)


def _check_class_weights(weights: list[Any], classes: int) -> None:
    shown = f"task.class_weights=[{','.join(map(str, weights))}]"
    if len(weights) != classes:
        raise ConfigError(f"{shown}: should be {classes} numbers, one for each class")
    if not all(isinstance(weight, int | float) and 0 <= weight < 1e30 for weight in weights) or not any(weights):
        raise ConfigError(f"{shown}: should be numbers of 0 or more, not all of them 0")
