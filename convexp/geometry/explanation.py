"""A skeleton explained layer by layer: sizes, receptive fields, costs, equivariance; and the invariance of its answer."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from convexp.geometry.equivariance import Claim, Invariance, Trace, claim, invariances, trace
from convexp.geometry.line import Line
from convexp.geometry.reasons import reasons
from convexp.geometry.skeleton import Skeleton
from convexp.geometry.windows import Size
from convexp.geometry.wiring import LayerCost, Wiring, wiring_cost


@dataclass(frozen=True)
class LayerFacts:
    """What is known about one layer.

    Attributes:
        name: Name of the module in the network.
        shape: Shape of its output for one image: (C, H, W), or (F,) after the readout.
        field: Pixels that a unit sees, per dimension; None for all of them. Empty after the readout.
        stride: Pixels between the fields of neighbouring units, per dimension. Empty after the readout.
        cost: Parameters and FLOPs; None if they are not known.
        circular: Equivariance to circular shifts, per dimension. Empty after the readout.
        moved: Equivariance to shifts at which other pixels enter (``zero_fill``, ``crop``), per dimension.
    """

    name: str
    shape: Size
    field: tuple[int | None, ...]
    stride: Size
    cost: LayerCost | None
    circular: tuple[Claim, ...] = ()
    moved: tuple[Claim, ...] = ()


@dataclass(frozen=True)
class Explanation:
    """What is known about a network before it is trained.

    Attributes:
        layers: Its layers, from the pixels on.
        circular: Circular shifts that leave the answer exactly as it is, per dimension.
        zero_fill: Shifts of content on black that do, per dimension.
        reasons: What takes equivariance and invariance away, a sentence for each layer that does.
    """

    layers: list[LayerFacts]
    circular: list[Invariance]
    zero_fill: list[Invariance]
    reasons: list[str]

    @property
    def total(self) -> LayerCost | None:
        """Parameters and FLOPs of all layers; None if those of one are not known."""
        costs = [layer.cost for layer in self.layers]
        if any(cost is None for cost in costs):
            return None
        known = [cost for cost in costs if cost is not None]
        return LayerCost(sum(cost.parameters for cost in known), sum(cost.flops for cost in known))


def explain(skeleton: Skeleton, wiring: Wiring) -> Explanation:
    """Explain a skeleton whose stages have this wiring, from geometry alone.

    Example::

        stage = Stage(16, (5, 5), (1, 1), (2, 2), (1, 1), "circular", "aps", (2, 2))
        skeleton = Skeleton((1, 16, 16), 10, (stage,), "global_avg", (), "relu", "none", True)
        explain(skeleton, Wiring("conv")).circular[0].step  # 1: the answer stays the same under every circular shift

    Raises:
        ValueError: If a kernel, border or pooling window does not fit. The message names the stage.
    """
    dims = range(len(skeleton.input_shape) - 1)
    circular = [trace(skeleton, wiring, dim, "circle") for dim in dims]
    moved = [trace(skeleton, wiring, dim, "free") for dim in dims]
    return Explanation(
        layers=[*_stages(skeleton, wiring, circular, moved), *_head(skeleton)],
        circular=invariances(skeleton, wiring, True),
        zero_fill=invariances(skeleton, wiring, False),
        reasons=reasons(skeleton, circular),
    )


def _stages(skeleton: Skeleton, wiring: Wiring, circular: list[Trace], moved: list[Trace]) -> Iterator[LayerFacts]:
    after, after_moved = _by_layer(circular), _by_layer(moved)
    for name in after[0]:
        if name.endswith(".activation") and not activation_cost(skeleton):
            continue
        stage, lines = int(name.split(".")[1]), [along[name] for along in after]
        channels, units = skeleton.stages[stage].channels, tuple(line.units for line in lines)
        yield LayerFacts(
            name=name,
            shape=(channels, *units),
            field=tuple(None if wiring.sees_all else line.size for line in lines),
            stride=tuple(line.stride for line in lines),
            cost=_cost(skeleton, wiring, stage, name, units),
            circular=tuple(claim(line) for line in lines),
            moved=tuple(claim(along[name]) for along in after_moved),
        )


def _by_layer(traces: list[Trace]) -> list[dict[str, Line]]:
    """For each dimension the line after every layer; a pooling may have two steps."""
    return [{operation.layer: line for operation, line in found} for found in traces]


def _cost(skeleton: Skeleton, wiring: Wiring, stage: int, name: str, units: Size) -> LayerCost | None:
    channels = skeleton.stages[stage].channels
    if name.endswith(".wiring"):
        before = skeleton.stages[stage - 1].channels if stage else skeleton.input_shape[0]
        return wiring_cost(wiring, skeleton.stages[stage], before, skeleton.sizes()[stage], skeleton.bias)
    if name.endswith(".norm"):
        return LayerCost(2 * channels * (math.prod(units) if skeleton.norm == "batch_unit" else 1), 0)
    if name.endswith(".activation"):
        return LayerCost(activation_cost(skeleton), 0)
    pooled = skeleton.stages[stage]
    filtered = math.prod(pooled.blur_size[: len(units)]) if pooled.pool in ("blur", "max_blur") else 0
    return LayerCost(0, 2 * channels * math.prod(units) * filtered)


def activation_cost(skeleton: Skeleton) -> int:
    """Return the number of parameters of each activation: ``lsa`` has a threshold."""
    return 1 if skeleton.activation == "lsa" else 0


def _head(skeleton: Skeleton) -> Iterator[LayerFacts]:
    """The readout, the hidden layers and the output layer."""
    features = skeleton.stages[-1].channels if skeleton.stages else skeleton.input_shape[0]
    if skeleton.readout == "flatten":
        features *= math.prod(skeleton.sizes()[-1])
    yield LayerFacts("readout", (features,), (), (), LayerCost(0, 0))
    names = [f"hidden{index}.linear" for index in range(len(skeleton.hidden))] + ["classes"]
    for name, units in zip(names, (*skeleton.hidden, skeleton.classes), strict=True):
        bias = units if skeleton.bias else 0
        yield LayerFacts(f"head.{name}", (units,), (), (), LayerCost(features * units + bias, 2 * features * units))
        if name != "classes" and skeleton.norm != "none":
            yield LayerFacts(f"head.{name.replace('linear', 'norm')}", (units,), (), (), LayerCost(2 * units, 0))
        if name != "classes" and activation_cost(skeleton):
            activation = name.replace("linear", "activation")
            yield LayerFacts(f"head.{activation}", (units,), (), (), LayerCost(activation_cost(skeleton), 0))
        features = units
