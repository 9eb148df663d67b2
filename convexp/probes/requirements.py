"""What probes require: values of their settings, and attributes that a network offers."""

from typing import cast

from torch import nn

from convexp.models import Network
from convexp.probes.errors import NotApplicableError


def require_at_least(probe: object, **minimum: int) -> None:
    """Check integer settings of a probe against their smallest values, as in ``require_at_least(self, max_shift=1)``.

    Raises:
        ValueError: If a setting is not an integer, or is smaller than its minimum.
    """
    for name, smallest in minimum.items():
        value = getattr(probe, name)
        if not isinstance(value, int) or isinstance(value, bool) or value < smallest:
            raise ValueError(f"{name}={value}: should be a whole number, {smallest} or more")


def require_positive(probe: object, *names: str) -> None:
    """Check that the named settings of a probe are finite numbers above 0.

    Raises:
        ValueError: If a setting is not.
    """
    for name in names:
        value = getattr(probe, name)
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < float("inf"):
            raise ValueError(f"{name}={value}: should be a number above 0")


def require_attributes(network: nn.Module, *names: str) -> Network:
    """Check that a network has the named attributes of ``convexp.models.Network``, and return it under that type.

    Raises:
        NotApplicableError: If an attribute is missing.
    """
    if missing := [name for name in names if not hasattr(network, name)]:
        raise NotApplicableError(f"needs the network's {', '.join(missing)}, which a {type(network).__name__} does not offer")
    return cast(Network, network)


def require_stages(network: nn.Module) -> Network:
    """Check that a network has stages and offers their outputs and geometry, and return it as a ``convexp.models.Network``.

    Raises:
        NotApplicableError: If it has no stages or does not offer these.
    """
    staged = require_attributes(network, "stages", "features", "skeleton")
    if not staged.stages:
        raise NotApplicableError("the network has no stages")
    return staged
