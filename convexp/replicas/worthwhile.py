"""Whether training several networks at once takes less time than one after another, from counts alone.

What is saved is the time that a step takes beside its arithmetic: calls of operators, autograd's graph, the optimizer's Python.
What is lost is that tensors of several networks share the cache. So it pays for networks whose steps are small. The limits hold
for one core of a CPU, with a margin: no row of ``scripts/bench_replicas.py`` that is expected to be faster was
slower in the median of five rounds (R = 2 and 8), nor one of its ``--networks``, which go through ``torch.vmap``.
"""

from collections.abc import Collection

from torch import nn

from convexp.layers.local import PerLocation
from convexp.models.cost import LayerCost
from convexp.records.record import LayerRecord
from convexp.replicas.network import has_parts

FLOPS_OF_A_STEP = 6e6
"""Most FLOPs of a forward pass of one network for a batch, for each network up to ``ENOUGH``."""

FLOPS_OF_A_LOCAL_STEP = 22e6
"""The same of layers with a kernel at each location. Those of several networks are one such layer, as fast as they are alone,
where convolutions are slower than one after another."""

FLOPS_OF_A_LAYER = 1e6
"""Most FLOPs of one network's forward pass for a batch over its layers, under ``torch.vmap``, for ``ENOUGH`` networks or more.
A convolution of several networks is one with groups there, which is slower on a CPU; what is saved is saved at each layer."""

ENOUGH = 4
"""Number of networks from which on a step of each hardly gets cheaper."""

BYTES = 64e6
"""Most bytes of parameters, gradients and moments of all networks: more do not stay in the cache from step to step."""

AT_ONCE = 8
"""Most networks that are stacked; more are cut into groups of about equal size."""


def worthwhile(replicas: int, batch_size: int, network: nn.Module, layers: Collection[LayerCost | LayerRecord]) -> bool:
    """Whether networks are expected to train faster at once than one after another on a core of a CPU.

    Args:
        replicas: Number of networks.
        batch_size: Images in a batch.
        network: One of them.
        layers: Its layers that have parameters.
    """
    if replicas < 2:
        return False
    if has_parts(network):
        steps = (layer.flops / _flops_of_a_step(network.get_submodule(layer.name)) for layer in layers)
        few_flops = batch_size * sum(steps) <= min(replicas, ENOUGH)
    else:
        flops = sum(layer.flops for layer in layers)
        few_flops = batch_size * flops <= FLOPS_OF_A_LAYER * len(layers) and replicas >= ENOUGH
    return few_flops and 16 * sum(layer.parameters for layer in layers) * min(replicas, AT_ONCE) <= BYTES


def _flops_of_a_step(layer: nn.Module) -> float:
    return FLOPS_OF_A_LOCAL_STEP if isinstance(layer, PerLocation) else FLOPS_OF_A_STEP
