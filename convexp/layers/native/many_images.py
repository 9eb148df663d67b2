"""The kernels in C for many images, which fill the vectors of a processor."""

from functools import partial

from torch import Tensor

from convexp.layers.call_geometry import Geometry
from convexp.layers.native import operations
from convexp.layers.native.operations import Vectors

RUN_OF_CHANNELS = 16
"""From so many channels of a group on, a weight gradient's vectors are of channels, not of images, which are to be summed."""

forward = partial(operations.forward, Vectors.MANY_IMAGES)
input_gradient = partial(operations.input_gradient, Vectors.MANY_IMAGES)


def weight_gradient(grad: Tensor, x: Tensor, g: Geometry) -> Tensor:
    """Return the gradient in the weight, as ``operations.weight_gradient``."""
    vectors = Vectors.MANY_IMAGES if g.group_channels < RUN_OF_CHANNELS else Vectors.CHANNELS
    return operations.weight_gradient(vectors, grad, x, g)
