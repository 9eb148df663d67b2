"""Values that are of the right type and make no sense: too large for any machine, or without effect where one is meant."""

import math
import os
from importlib.util import find_spec

from convexp.config.schema import Config, Target
from convexp.errors import ConfigError
from convexp.machine.memory import check_fits

MOST = 256  # threads or processes, unless there are more cores: many more than cores only wait for each other
REPEATED, MOST_REPEATED = ("pairs", "repeats"), 10_000
MONITORED = ("val/acc", "val/loss", "train/acc", "train/loss")
PACKAGES = {"convexp.tracking.trackers.wandb": "wandb", "convexp.tracking.trackers.mlflow": "mlflow"}


def check_limits(config: Config) -> None:
    """Raise a ConfigError naming the setting whose value makes no sense."""
    for setting, number in (("trainer.threads", config.trainer.threads), ("data.workers", config.data.workers)):
        most = max(MOST, os.cpu_count() or 1)
        if number is not None and number > most:
            raise ConfigError(f"{setting}={number}: should be {most} at most, and about as many as there are cores")
    check_image(config)
    check_width(config)
    check_windows(config)
    check_batches(config)
    for setting, target in config.targets().items():
        check_settings(setting, target)
    for name, target in (config.callbacks or {}).items():
        monitor = target.spec().get("monitor")
        if monitor is not None and monitor not in MONITORED:
            raise ConfigError(f"callbacks.{name}.monitor={monitor}: should be one of {', '.join(MONITORED)}")
    for name, target in (config.logger or {}).items():
        package = PACKAGES.get(target.target)
        if package is not None and find_spec(package) is None:
            raise ConfigError(f"logger={name}: the package {package} is not installed; pip install 'convexp[{package}]'")


def check_image(config: Config) -> None:
    """One image fits into memory: a byte for each pixel, and the normalised number."""
    data = config.data
    placement = data.placement()
    pixels = data.image_shape[0] * math.prod(placement.canvas_size)
    setting = f"data.image_shape={data.image_shape}" if data.canvas is None else f"data.canvas={data.canvas}"
    check_fits(setting, {f"one image of {pixels:,} pixels": 5 * pixels})


def check_settings(setting: str, target: Target) -> None:
    """What settings of these names mean, whatever takes them."""
    for name, value in target.spec().items():
        if not isinstance(value, int | float):
            continue
        if name.endswith("seed") and value < 0:
            raise ConfigError(f"{setting}.{name}={value}: should be 0 or more")
        if name == "momentum" and value >= 1:
            raise ConfigError(f"{setting}.{name}={value}: should be below 1, or steps grow without end")
        if name in REPEATED and value > MOST_REPEATED:
            raise ConfigError(f"{setting}.{name}={value}: should be {MOST_REPEATED} at most, as each takes time")


def check_width(config: Config) -> None:
    """Every stage has a channel, every hidden layer a unit, and stages are what a wiring other than dense is about."""
    model = config.model
    for setting, numbers in (("channels", model.channels), ("hidden", model.hidden)):
        for number in numbers:
            if not 1 <= round(number * model.width) < 2**31:
                raise ConfigError(f"model.width={model.width}: makes {number * model.width:g} of model.{setting}={number}")
    if not model.channels and ".dense." not in model.wiring.target:
        raise ConfigError(
            f"model.channels=[]: leaves no stage to be wired by {model.wiring.target}; name channels, or use model=mlp"
        )


def check_windows(config: Config) -> None:
    """Kernels, strides and holes are no larger than what there is to see."""
    model, size = config.model, max(config.data.input_shape[1:])
    for setting, most in (("kernel_size", 2 * size + 1), ("stride", size), ("dilation", size), ("padding", size)):
        value = getattr(model, setting)
        for number in value if isinstance(value, list) else [value]:
            if isinstance(number, int) and number > most:
                raise ConfigError(f"model.{setting}={number}: should be {most} at most for images of {size} pixels")


def check_batches(config: Config) -> None:
    """Batch norm needs two values of a unit or channel to have statistics of."""
    model, data = config.model, config.data
    if model.norm == "none" or data.batch_size > 1:
        return
    skeleton = model.skeleton(data.input_shape, data.classes)
    places = [math.prod(stage.wired_size(size)) for stage, size in zip(skeleton.stages, skeleton.sizes(), strict=False)]
    if model.hidden or (places and (model.norm == "batch_unit" or min(places) == 1)):
        raise ConfigError(
            f"data.batch_size=1: model.norm={model.norm} has statistics over a batch; use 2 or more images, or model.norm=none"
        )
