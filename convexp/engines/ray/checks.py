"""What is checked before a sweep is planned: that Ray is installed, and that it can give what a run asks for."""

import os
import socket
from collections.abc import Sequence

from omegaconf import DictConfig, OmegaConf

from convexp.config.checks.packages import check_package
from convexp.engines.ray.settings import ADDRESS, SECTION, RaySettings
from convexp.errors import ConfigError
from convexp.machine.gpus import find_gpus

OF_OWN_RAY = ("local_cpus", "local_gpus", "object_store_memory")


def check_ray(settings: RaySettings, config: DictConfig) -> None:
    """Check what can be known without Ray.

    Args:
        settings: The settings of the launcher.
        config: The configuration of the sweep.

    Raises:
        ConfigError: naming what is missing, or the setting that does not go with the others.
    """
    check_package("hydra/launcher=ray", "ray")
    if settings.num_gpus == 0 and OmegaConf.select(config, "trainer.accelerator") == "gpu":
        raise ConfigError(
            f"{SECTION}.num_gpus=0: trainer.accelerator=gpu needs a GPU for each run, or a part of one such as 0.25"
        )
    if settings.address is None:
        _check_machine(settings)
        return
    for name in OF_OWN_RAY:
        if (value := getattr(settings, name)) is not None:
            raise ConfigError(
                f"{SECTION}.{name}={value}: leave it out, as a cluster says itself what it has ({SECTION}.address="
                f"{settings.address})"
            )
    _check_answer(settings)


def _check_machine(settings: RaySettings) -> None:
    """Check that this machine, or what the settings say that it has, is enough for one run: else it would wait for ever."""
    cpus = settings.local_cpus or os.cpu_count() or 1
    if settings.num_cpus > cpus:
        raise ConfigError(f"{SECTION}.num_cpus={settings.num_cpus:g}: should be {cpus} at most, all CPUs that there are")
    gpus = len(find_gpus().names) if settings.num_gpus and settings.local_gpus is None else settings.local_gpus or 0
    if settings.num_gpus > gpus:
        raise ConfigError(f"{SECTION}.num_gpus={settings.num_gpus:g}: should be {gpus} at most, all GPUs that are found here")
    if settings.resources:
        name = next(iter(settings.resources))
        raise ConfigError(f"{SECTION}.resources.{name}: only the nodes of a cluster have such; set {SECTION}.address")


def _check_answer(settings: RaySettings) -> None:
    """Check that something listens at the address: Ray itself would try for minutes."""
    found = ADDRESS.fullmatch(settings.address or "")
    if found is None or found["host"] is None:
        return
    try:
        socket.create_connection((found["host"].strip("[]"), int(found["port"])), settings.connect_timeout).close()
    except (OSError, UnicodeError) as error:  # UnicodeError: a host name with an empty or too long part
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ConfigError(f"{SECTION}.address={settings.address}: does not answer ({reason})") from None


def lacking(settings: RaySettings, nodes: Sequence[dict[str, float]]) -> str | None:
    """What a run asks for and no node has, as ``num_gpus=1``; None if there is a node for it.

    Args:
        settings: The settings of the launcher.
        nodes: What each node of the cluster has.
    """
    asked = settings.requests()
    if any(all(node.get(name, 0) >= amount for name, amount in asked.items()) for node in nodes):
        return None
    names = {"CPU": "num_cpus", "GPU": "num_gpus"}
    return ", ".join(f"{names.get(name, f'resources.{name}')}={amount:g}" for name, amount in asked.items())
