"""Which pixels the entries along each axis of a tensor see, and what windows, paddings and sums make of that."""

from collections.abc import Sequence
from dataclasses import dataclass

from convexp.geometry import extent
from convexp.geometry.skeleton import ReceptiveField

Axis = ReceptiveField | None
"""The receptive fields along one axis of a tensor; None for an axis that is none of the image's, such as channels."""


@dataclass(frozen=True)
class MapPositions:
    """Where the units of a feature map ``(B, C, *units)`` lie on the image.

    Attributes:
        fields: Receptive fields along each dimension of the image, as the windows between image and map make them.
        whole: Whether every unit depends on the whole image besides, as after a group normalisation or squeeze-and-excitation.
            The fields then say where the units lie, but not all that they see.
    """

    fields: tuple[ReceptiveField, ...]
    whole: bool = False

    @property
    def stride(self) -> tuple[int, ...]:
        """Pixels from one unit to the next, per dimension."""
        return tuple(field.stride for field in self.fields)


@dataclass(frozen=True)
class Axes:
    """What is known of a tensor that was computed from the image.

    Attributes:
        fields: For each axis of the tensor its receptive fields.
        whole: Whether the entries depend on the whole image besides.
        lost: The operation after which it is not known where on the image the entries lie; None if it is known.
        flattened: Shape (C, H, W) of the map whose entries a vector holds, in order; None if it is no such vector.
    """

    fields: tuple[Axis, ...]
    whole: bool = False
    lost: str | None = None
    flattened: tuple[int, ...] | None = None

    def positions(self, dims: int) -> MapPositions | None:
        """Return the positions of a map ``(B, C, *units)`` of ``dims`` dimensions; None if the tensor is no such map."""
        spatial = [field for field in self.fields[2:] if field is not None]
        if len(self.fields) != dims + 2 or len(spatial) != dims:
            return None
        return MapPositions(tuple(spatial), self.whole)


def windows(field: Axis, kernel: int, stride: int, padding: int, dilation: int = 1) -> Axis:
    """Return the fields of the windows of a layer along an axis with the given fields, ``padding`` before the first entry."""
    if field is None:
        return None
    return ReceptiveField(
        first=field.first - padding * field.stride,
        size=field.size + (extent(kernel, dilation) - 1) * field.stride,
        stride=field.stride * stride,
    )


def union(fields: Sequence[ReceptiveField]) -> Axis:
    """Return the smallest fields that contain all of the given ones, entry by entry; None if their strides differ."""
    if len({field.stride for field in fields}) != 1:
        return None
    first = min(field.first for field in fields)
    return ReceptiveField(first, max(field.first + field.size for field in fields) - first, fields[0].stride)
