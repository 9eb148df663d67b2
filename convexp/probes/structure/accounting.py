"""What every layer costs: parameters, FLOPs, bytes, time and memory, forward and backward."""

from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from torch import nn

from convexp.layers import cost
from convexp.layers.base import SpatialLayer
from convexp.models import LayerCost, Network, layer_costs
from convexp.models.timing import layer_times
from convexp.probes.base import Measurement
from convexp.probes.figures import stacked_bars
from convexp.probes.requirements import require_at_least, require_attributes
from convexp.probes.sample import Sample

QUANTITIES = ("parameters", "flops", "forward_ms", "backward_ms", "forward_peak_bytes", "backward_peak_bytes")


@dataclass(frozen=True)
class Accounting:
    """The cost of every layer and its share of the whole, on a batch of test images.

    Maps: ``layers``, a row for every part of the network: ``parameters`` counted and ``closed_form``
    (docs/design.md, section 1; ``convexp.layers.cost``),
    ``flops`` of the forward pass for one image, counted by torch (a multiply-add is two) and
    ``closed_form_flops``, ``backward_flops`` (both gradients of one image, in closed form; of a grouped convolution torch's
    counter would say more, wrongly), ``parameter_bytes``, ``input_bytes`` and ``output_bytes`` of the batch, ``forward_ms`` and
    ``backward_ms`` (medians; on a CPU of the process's own time on it, all threads together), ``forward_peak_bytes`` and
    ``backward_peak_bytes`` (above what was in use before), null where nothing is known. ``shares``: by quantity and layer,
    0..1.

    Args:
        batch: images; the batch that time and memory are measured on.
        repeats: passes that the medians are over.

    Numbers:
        parameters (count): of all layers.
        flops (FLOPs): of the forward pass for one image; a multiply-add is two.
        forward_ms (ms): of a batch, summed over the layers, each run alone.
        backward_ms (ms): likewise, backward.
        peak_bytes (bytes): above what was in use before, the largest of any layer.
        batch (images): that time and memory are measured on.
    """

    batch: int
    repeats: int
    by_epoch: ClassVar[bool] = False  # the same at all times

    def __post_init__(self) -> None:
        require_at_least(self, batch=1, repeats=1)

    @property
    def max_images(self) -> int:
        """Images it wants to have."""
        return self.batch

    def measure(self, network: Network, sample: Sample) -> Measurement:
        """``repeats + 2`` forward and backward passes of each layer."""
        require_attributes(network, "skeleton", "normalize")
        images = sample.first(self.batch).images
        modules, counted = dict(network.named_modules()), {row.name: row for row in layer_costs(network)}
        rows: list[dict[str, Any]] = []
        for name, taken in layer_times(network, images, self.repeats).items():
            rows.append({"name": name, **_counts(modules[name], counted.get(name), len(images)), **asdict(taken)})
        shares = {quantity: _shares(rows, quantity) for quantity in QUANTITIES}
        total = {key: float(sum(row[key] for row in rows)) for key in ("parameters", "flops", "forward_ms", "backward_ms")}
        peak = max((max(row["forward_peak_bytes"], row["backward_peak_bytes"]) for row in rows), default=0)
        names = {quantity: quantity.replace("_bytes", " memory").replace("_", " ") for quantity in QUANTITIES}
        picture = stacked_bars({names[q]: s for q, s in shares.items() if s}, f"who costs what (batch of {len(images)})")
        numbers = {**total, "peak_bytes": float(peak), "batch": float(len(images))}
        return Measurement(numbers, {"layers": rows, "shares": shares}, {"shares": picture})


def _counts(module: nn.Module, counted: LayerCost | None, batch: int) -> dict[str, Any]:
    """What is known of a layer without running it."""
    row: dict[str, Any] = {
        "kind": type(module).__name__,
        "parameters": counted.parameters if counted else 0,
        "flops": counted.flops if counted else 0,
    }
    if isinstance(module, SpatialLayer):
        try:
            one, many = cost(module), cost(module, batch)
        except TypeError:  # a wiring of somebody's own
            return row
        backward = one.backward_flops
        closed = {"closed_form": one.weights + one.biases, "closed_form_flops": one.forward_flops, "backward_flops": backward}
        return row | closed | {key: getattr(many, key) for key in ("parameter_bytes", "input_bytes", "output_bytes")}
    if isinstance(module, nn.Linear):
        flops = 2 * module.in_features * module.out_features
        size = module.weight.element_size()
        return row | {
            "closed_form": module.in_features * module.out_features
            + module.out_features * ("bias" in dict(module.named_parameters())),
            "closed_form_flops": flops,
            "backward_flops": 2 * flops,
            "parameter_bytes": size * row["parameters"],
            "input_bytes": size * batch * module.in_features,
            "output_bytes": size * batch * module.out_features,
        }
    return row


def _shares(rows: list[dict[str, Any]], quantity: str) -> dict[str, float]:
    """Of the sum over all layers; nothing where that is zero."""
    total = sum(row[quantity] for row in rows)
    return {row["name"]: row[quantity] / total for row in rows if row[quantity]} if total else {}
