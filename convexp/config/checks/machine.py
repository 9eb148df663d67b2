"""Check what this machine has to offer: cores, memory, installed packages."""

import math
import os

from convexp.config.checks.packages import check_package
from convexp.config.schema import Config, Probing
from convexp.errors import ConfigError
from convexp.machine.memory import check_fits

MAX_THREADS = 256  # or the number of cores, if larger: many more threads than cores only wait for each other
LOGGER_PACKAGES = {f"convexp.tracking.trackers.{name}": name for name in ("wandb", "mlflow", "aim", "clearml")}


def check_threads(config: Config) -> None:
    """Check that threads and worker processes are not many more than the cores of any machine.

    Raises:
        ConfigError: naming the setting.
    """
    limit = max(MAX_THREADS, os.cpu_count() or 1)
    for setting, number in (("trainer.threads", config.trainer.threads), ("data.workers", config.data.workers)):
        if number is not None and number > limit:
            raise ConfigError(f"{setting}={number}: should be {limit} at most; as many as there are cores is a good value")


def check_image_memory(config: Config | Probing) -> None:
    """Check that one image fits into the free memory, as bytes and as normalised numbers of 4 bytes each.

    Raises:
        ConfigError: naming the setting that makes it so large.
    """
    data = config.data
    pixels = data.image_shape[0] * math.prod(data.placement().canvas_size)
    setting = f"data.image_shape={data.image_shape}" if data.canvas is None else f"data.canvas={data.canvas}"
    check_fits(setting, {f"one image of {pixels:,} pixels": 5 * pixels})


def check_logger_packages(config: Config) -> None:
    """Check that the package of every logger is installed.

    Raises:
        ConfigError: naming the logger.
    """
    for name, target in (config.logger or {}).items():
        check_package(f"logger={name}", LOGGER_PACKAGES.get(target.target))
