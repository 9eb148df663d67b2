"""The kernels in C for many images, which fill the vectors of a processor."""

import math
from functools import partial

from torch import Tensor

from convexp.layers.call_geometry import Geometry
from convexp.layers.native import operations
from convexp.layers.native.operations import Vectors

RUN_OF_CHANNELS = 16
"""From so many channels of a group on, the vectors of a weight gradient may be of channels."""

FEWEST_IMAGES, IMAGES_OF_A_CHANNEL = 64, 2
"""From so many images on they are of images: at least, and for each channel where windows have one pixel."""

forward = partial(operations.forward, Vectors.MANY_IMAGES)
input_gradient = partial(operations.input_gradient, Vectors.MANY_IMAGES)


def fills_a_weight_gradient(g: Geometry) -> Vectors:
    """Return what the vectors of a weight gradient are of: channels, for which the images are turned, or images.

    A vector of images has to be summed, which does not matter if there are many; turning them matters if windows are small. The
    bounds are from times on an Intel Xeon, 13 shapes with 64 to 512 images, n = 7. They are the same for all types, so that
    results in 16 bits are those in float32, rounded.
    """
    channels = g.group_channels
    images = g.batch >= max(FEWEST_IMAGES, IMAGES_OF_A_CHANNEL * channels * math.sqrt(g.taps / channels))
    return Vectors.MANY_IMAGES if channels < RUN_OF_CHANNELS or images else Vectors.CHANNELS


def weight_gradient(grad: Tensor, x: Tensor, g: Geometry) -> Tensor:
    """Return the gradient in the weight, as ``operations.weight_gradient``."""
    return operations.weight_gradient(fills_a_weight_gradient(g), grad, x, g)
