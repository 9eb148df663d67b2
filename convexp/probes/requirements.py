"""What probes require: values of their settings, and feature maps of a network."""

from torch import nn

from convexp.models import Ensemble
from convexp.models.representations import Layout, layout
from convexp.probes.errors import NotApplicableError
from convexp.probes.sample import Sample


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


def require_one_network(network: nn.Module) -> None:
    """Check that the network has layers and weights of its own.

    Raises:
        NotApplicableError: If it is the mean over several networks.
    """
    if isinstance(network, Ensemble):
        raise NotApplicableError("is about the layers of one network, and an ensemble has only those of its members")


def require_maps(network: nn.Module, sample: Sample) -> Layout:
    """Return where the units of a network's feature maps lie on the images.

    Raises:
        NotApplicableError: If there is no feature map, with the reason for each layer that is looked at.
    """
    found = layout(network, sample.images)
    if not found.maps:
        reasons = "; ".join(f"{layer}: {reason}" for layer, reason in found.others.items()) or "it has no layers"
        raise NotApplicableError(f"the network has no feature maps whose place on the image is known ({reasons})")
    return found


def require_neighbours(sample: Sample) -> None:
    """Check that the pixels of the images lie beside those that they belong beside.

    Raises:
        NotApplicableError: If they are permuted.
    """
    if sample.order is not None:
        raise NotApplicableError("needs pixels where they belong, and data.permute_pixels has permuted them")
