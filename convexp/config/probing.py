"""From a composed configuration of convexp-probe to a checked one, without torch."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from convexp.config.checks.data_files import check_data_files
from convexp.config.checks.environment import check_environment
from convexp.config.checks.machine import check_image_memory
from convexp.config.checks.plain_values import check_plain
from convexp.config.checks.probes import check_probes
from convexp.config.checks.sizes import check_numbers
from convexp.config.checks.targets import check_targets
from convexp.config.folders import check_folder, check_writable
from convexp.config.importable import make_importable, module_exists
from convexp.config.load import resolve
from convexp.config.schema import Probing
from convexp.config.user_paths import parse_path
from convexp.config.validated import validated
from convexp.errors import ConfigError

EXAMPLE = "network=torchvision.models.resnet18"


def arrange_network(arguments: list[str]) -> list[str]:
    """The command line with ``network=NAME`` and ``network.ARGUMENT=VALUE`` as overrides that Hydra takes for a new section."""
    return list(_arranged(arguments))


def _arranged(arguments: list[str]) -> Iterator[str]:
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if equals and name == "network" and not value.startswith("{") and value not in ("", "null"):
            yield f"++network._target_={value}"
        elif equals and name.startswith("network."):
            yield f"++{argument}"
        else:
            yield argument


def load_probing(cfg: DictConfig) -> Probing:
    """Resolve, parse and check the configuration of convexp-probe.

    Modules of the working directory, and of the folders that ``pythonpath`` names, can be imported from then on.

    Raises:
        ConfigError: naming the setting, its value and what would be right.
    """
    values = resolve(cfg)
    network: Any = values.get("network")
    if not (isinstance(network, dict) and "_target_" in network):
        raise ConfigError(f"network: is missing; name a class or a function that makes a network, as in {EXAMPLE}")
    check_plain(values)
    config = validated(Probing, values)
    if not config.probes:
        raise ConfigError("probes: name at least one, as in probes=all or probes=[shift_map,equivariance]")
    make_importable([str(Path.cwd()), *(config.pythonpath or ())])
    _check(config)
    return config


def _check(config: Probing) -> None:
    check_environment()
    _check_network(config)
    check_targets(config)
    _check_channels(config)
    check_probes(config)
    check_data_files(config)
    check_image_memory(config)
    for setting, target in config.targets().items():
        check_numbers(setting, target)
    if config.checkpoint is not None and not parse_path("checkpoint", config.checkpoint).is_file():
        raise ConfigError(f"checkpoint={config.checkpoint}: there is no such file")
    folder = parse_path("folder", config.folder)
    check_folder("folder", str(folder))
    check_writable(f"folder={config.folder}", folder)


def _check_network(config: Probing) -> None:
    """Check that ``network`` names something in a package, and that there is such a package."""
    target = config.network.target
    package = target.partition(".")[0]
    if "." not in target or not all(part.isidentifier() for part in target.split(".")):
        raise ConfigError(f"network={target}: should be package.module.Name, as in {EXAMPLE}")
    if not module_exists(package):
        raise ConfigError(
            f"network={target}: there is no package {package}, neither installed nor in this folder; "
            "pythonpath=[FOLDER] names others"
        )


def _check_channels(config: Probing) -> None:
    try:
        of_images = config.data.input_shape[0]
    except ValueError as error:
        raise ConfigError(str(error)) from None
    if config.channels is not None and of_images not in (1, config.channels):
        raise ConfigError(
            f"channels={config.channels}: should be {of_images}, as many as the images of data={config.data.name} have"
        )
    for setting in ("mean", "std"):
        value = getattr(config, setting)
        if isinstance(value, list) and len(value) not in (of_images, config.channels):
            raise ConfigError(
                f"{setting}={value}: should be one number, or one for each of the {of_images} channels of the images"
            )
