"""The kernels in C for a few images: the inputs of a unit fill the vectors of a processor, and weights are read once.

The windows of one unit at a time are copied, in the order of its weights, beside which that costs little.
"""

from functools import partial

from convexp.layers.native import operations
from convexp.layers.native.operations import Vectors

forward = partial(operations.forward, Vectors.FEW_IMAGES)
weight_gradient = partial(operations.weight_gradient, Vectors.FEW_IMAGES)
input_gradient = partial(operations.input_gradient, Vectors.FEW_IMAGES)
