"""What every layer costs: parameters, FLOPs, bytes, time and memory, forward and backward."""

from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from torch import nn

from convexp.models import LayerCost, layer_costs
from convexp.models.cost import closed_form
from convexp.models.timing import layer_times
from convexp.pictures.stacked_bars import largest_parts, stacked_bars
from convexp.probes.base import Measurement
from convexp.probes.pictures import as_tensor
from convexp.probes.requirements import require_at_least, require_one_network
from convexp.probes.sample import Sample

QUANTITIES = ("parameters", "flops", "forward_ms", "backward_ms", "forward_peak_bytes", "backward_peak_bytes")

DRAWN = 10  # layers in the picture, one for each colour; the smaller ones are drawn as one


@dataclass(frozen=True)
class Accounting:
    """The cost of every layer and its share of the whole, on a batch of test images.

    Maps: ``layers``, a row for every module that calls no other, in the order of the forward pass, and, without times, for
    others that have parameters or FLOPs of their own: ``parameters``, counted, and ``closed_form``, the same by the formula of
    ``convexp.layers.cost``; ``flops`` of the forward pass for one image, counted by torch (a multiply-add is two), and
    ``closed_form_flops`` by formula; ``backward_flops`` of both gradients for one image, by formula (of a grouped convolution
    torch's counter would wrongly say more); ``parameter_bytes``, and ``input_bytes`` and ``output_bytes`` of the batch;
    ``forward_ms`` and ``backward_ms``, medians (on a CPU of the process's own CPU time, all threads together);
    ``forward_peak_bytes`` and ``backward_peak_bytes``, above what was in use before. What is not known is absent or null.
    ``shares``: each layer's share ``q(layer) / sum_l q(l)`` of the sum over all layers, 0 to 1, by quantity q and layer.

    Source: docs/design.md, section 1, for the closed forms of parameters and FLOPs.

    Args:
        batch: Number of images in the batch that time and memory are measured on.
        repeats: Number of passes that the medians are taken over.

    Numbers:
        parameters (count): Number of parameters of all layers.
        flops (FLOPs): FLOPs of the forward pass for one image; a multiply-add is two.
        forward_ms (ms): Time of the forward pass of a batch, summed over the layers, each run alone.
        backward_ms (ms): Time of the backward pass of a batch, summed over the layers, each run alone.
        peak_bytes (bytes): Largest memory that a layer needs above what was in use before.
        batch (images): Number of images that time and memory are measured on.
    """

    batch: int
    repeats: int
    by_epoch: ClassVar[bool] = False  # the same at all times

    def __post_init__(self) -> None:
        require_at_least(self, batch=1, repeats=1)

    @property
    def max_images(self) -> int:
        """Number of test images that the probe asks for."""
        return self.batch

    def measure(self, network: nn.Module, sample: Sample) -> Measurement:
        """Run each layer alone, ``repeats + 2`` times forward and backward."""
        require_one_network(network)
        images = sample.first(self.batch).images
        counted = {layer.name: layer for layer in layer_costs(network, tuple(images.shape[1:]))}
        modules = dict(network.named_modules())
        times = layer_times(network, images, self.repeats)
        rows: list[dict[str, Any]] = []
        for name in [*times, *(name for name in counted if name not in times)]:
            static = _static_costs(modules[name], counted.get(name), len(images))
            rows.append({"name": name, **static, **(asdict(times[name]) if name in times else {})})
        shares = {quantity: _shares(rows, quantity) for quantity in QUANTITIES}
        total = {
            key: float(sum(row.get(key, 0) for row in rows)) for key in ("parameters", "flops", "forward_ms", "backward_ms")
        }
        peak = max((max(t.forward_peak_bytes, t.backward_peak_bytes) for t in times.values()), default=0)
        names = {quantity: quantity.replace("_bytes", " memory").replace("_", " ") for quantity in QUANTITIES}
        drawn = largest_parts({names[q]: s for q, s in shares.items() if s}, DRAWN)
        picture = as_tensor(stacked_bars(drawn, f"who costs what (batch of {len(images)})"))
        numbers = {**total, "peak_bytes": float(peak), "batch": float(len(images))}
        return Measurement(numbers, {"layers": rows, "shares": shares}, {"shares": picture})


def _static_costs(module: nn.Module, counted: LayerCost | None, batch: int) -> dict[str, Any]:
    """The part of a layer's row that is known without running it."""
    row: dict[str, Any] = {
        "kind": type(module).__name__,
        "parameters": counted.parameters if counted else 0,
        "flops": counted.flops if counted else 0,
    }
    one, many = closed_form(module), closed_form(module, batch)
    if one is None or many is None:
        return row
    return row | {
        "closed_form": one.weights + one.biases,
        "closed_form_flops": one.forward_flops,
        "backward_flops": one.backward_flops,
        "parameter_bytes": many.parameter_bytes,
        "input_bytes": many.input_bytes,
        "output_bytes": many.output_bytes,
    }


def _shares(rows: list[dict[str, Any]], quantity: str) -> dict[str, float]:
    """Each layer's share of a quantity's sum over all layers; empty if the sum is zero."""
    total = sum(row.get(quantity, 0) for row in rows)
    return {row["name"]: row[quantity] / total for row in rows if row.get(quantity)} if total else {}
