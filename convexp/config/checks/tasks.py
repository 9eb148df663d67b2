"""Check the settings of the task that torch would refuse only in the first step."""

from typing import Any

from convexp.config.schema import Config
from convexp.config.schema.task import CLASSIFICATION, IMITATION, LOCALISATION
from convexp.errors import ConfigError


def check_task(config: Config) -> None:
    """Check the smoothing of labels, that there is a weight for each class, and that outputs and images are those of the task.

    Raises:
        ConfigError: naming the setting.
    """
    settings = config.task.spec()
    smoothing: Any = settings.get("label_smoothing", 0)
    if isinstance(smoothing, int | float) and not 0 <= smoothing < 1:
        raise ConfigError(f"task.label_smoothing={smoothing}: should be at least 0 and below 1")
    for name in ("top_k", "bins"):
        number: Any = settings.get(name, 1)
        if config.task.target == CLASSIFICATION and isinstance(number, int) and not 1 <= number <= 10_000:
            raise ConfigError(f"task.{name}={number}: should be between 1 and 10000")
    weights: Any = settings.get("class_weights")
    if isinstance(weights, list):
        _check_class_weights(weights, config.data.classes)
    if config.task.target == LOCALISATION:
        _check_localisation(config, str(settings.get("kind")))
    if config.task.target == IMITATION:
        _check_imitation(config, settings)
    if config.task.target == CLASSIFICATION and config.task.outputs is not None:
        raise ConfigError(f"task.outputs={config.task.outputs}: should be null, as each class (data.classes) has its output")


def _check_localisation(config: Config, kind: str) -> None:
    dims, outputs = len(config.data.input_shape) - 1, config.network_outputs
    if kind == "regression" and outputs != dims:
        raise ConfigError(f"task.outputs={outputs}: should be {dims}, the coordinates of the centre, for task.kind=regression")
    side = round(outputs ** (1 / dims))
    if kind == "heat_map" and (side < 2 or side**dims != outputs):
        power = "a square number" if dims == 2 else f"a power of {dims}"
        raise ConfigError(f"task.outputs={outputs}: should be {power} of cells, such as {8**dims}, for task.kind=heat_map")


def _check_imitation(config: Config, settings: dict[str, Any]) -> None:
    seen = list(config.data.input_shape)
    if len(seen) != 2 or seen[0] != 1:
        raise ConfigError(
            f"data.image_shape={config.data.image_shape}: should be [1, length] for task=imitation, signals of one channel"
        )
    shape: Any = settings.get("shape")
    if shape != seen:
        raise ConfigError(f"task.shape={shape}: should be {seen}, the shape of what the network sees")
    if config.network_outputs != seen[1]:
        raise ConfigError(f"task.outputs={config.task.outputs}: should be {seen[1]}, an output for each pixel of a signal")
    levels: Any = settings.get("levels", 1)
    if isinstance(levels, int | float) and not levels > 0:
        raise ConfigError(f"task.levels={levels}: should be above 0")


def _check_class_weights(weights: list[Any], classes: int) -> None:
    shown = f"task.class_weights=[{','.join(map(str, weights))}]"
    if len(weights) != classes:
        raise ConfigError(f"{shown}: should be {classes} numbers, one for each class")
    if not all(isinstance(weight, int | float) and 0 <= weight < 1e30 for weight in weights) or not any(weights):
        raise ConfigError(f"{shown}: should be numbers of 0 or more, not all of them 0")
