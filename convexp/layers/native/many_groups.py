"""The kernels in C for many groups with few channels, of a few images: the groups of a location fill the vectors.

The weights of so many groups at a time are turned, which takes most of the time if there are few images.
"""

from functools import partial

from convexp.layers.native import operations
from convexp.layers.native.operations import Vectors

forward = partial(operations.forward, Vectors.GROUPS)
weight_gradient = partial(operations.weight_gradient, Vectors.GROUPS)
input_gradient = partial(operations.input_gradient, Vectors.GROUPS)
