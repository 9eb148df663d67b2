"""Probes by their names in conf/probes/, with other settings where some are given: for use from Python."""

from collections.abc import Mapping, Sequence
from typing import Any

from hydra import compose
from omegaconf import OmegaConf

from convexp.config.checks.probes import check_probe
from convexp.config.checks.sizes import check_numbers
from convexp.config.checks.targets import check_target
from convexp.config.hydra_context import isolated_hydra
from convexp.config.instantiate import TARGET
from convexp.config.messages.suggestions import suggest
from convexp.config.options import list_options
from convexp.config.schema import Target
from convexp.errors import ConfigError
from convexp.geometry import Size


def choose_probes(names: Sequence[str], settings: Mapping[str, Mapping[str, Any]], size: Size) -> dict[str, Target]:
    """The probes of these names as conf/probes/ describes them, with ``settings`` in place of those there.

    Args:
        names: Names of probes, or ``all`` or ``default``.
        settings: Other settings by name of the probe.
        size: Size of the images, in pixels, which shifts have to fit.

    Raises:
        ConfigError: naming the probe, or its setting.
    """
    known = list_options("probes")
    for name in names:
        if name not in known:
            raise ConfigError(f"probes={name}: there is no such probe{suggest(name, known)}")
    with isolated_hydra():
        composed: Any = OmegaConf.to_container(compose("probe", [f"probes=[{','.join(names)}]"]).probes or {}, resolve=True)
    return {name: _with_settings(name, spec, settings.get(name, {}), size) for name, spec in composed.items()}


def _with_settings(name: str, spec: dict[str, Any], settings: Mapping[str, Any], size: Size) -> Target:
    target = Target.model_validate({**spec, **settings, TARGET: spec[TARGET]})
    check_target(f"probes.{name}", target)
    check_numbers(f"probes.{name}", target)
    check_probe(f"probes.{name}", target, size, 0)
    return target
