"""A run that trains nothing and reads no data: what its network costs (docs/design.md, section 1)."""

import math
import time
from dataclasses import asdict
from datetime import UTC, datetime

from convexp.config import Config
from convexp.execution import build
from convexp.machine.environment import git, versions
from convexp.models import LayerCost, network_cost
from convexp.records import FORMAT, Result, RunFolder
from convexp.records.result import write_result

FLOAT = 4  # bytes


class Costing:
    """Counts parameters, FLOPs and bytes; nothing of the network's size is allocated (torch's meta device)."""

    def __init__(self, config: Config, folder: RunFolder) -> None:
        self.config = config
        self.folder = folder
        planned = build.plan(config)
        self.width, self.layers = planned.width, planned.count_layers()

    def execute(self) -> Result:
        """Write ``result.json`` and return it."""
        start, config = time.perf_counter(), self.config
        now = datetime.now(UTC).isoformat(timespec="seconds")
        result: Result = {
            "format": FORMAT,
            "state": "finished",
            "identity": self.folder.identity,
            "name": config.name,
            "seed": config.seed,
            "started": now,
            "config": config.model_dump(by_alias=True),
            "network": asdict(network_cost(self.layers)) | {"width": self.width},
            "data": {},
            "metrics": costs(self.layers, math.prod(config.data.input_shape), config.data.batch_size),
            "probes": {},
            "versions": versions(),
            "git": git(),
            "error": None,
            "ended": now,
            "seconds": {"total": round(time.perf_counter() - start, 4)},
        }
        write_result(self.folder.path, result)
        return result


def costs(layers: list[LayerCost], pixels: int, batch: int) -> dict[str, float]:
    """What the network costs in numbers of 4 bytes.

    ``cost/parameters``; ``cost/flops`` of the forward pass for one image; ``cost/activation_bytes`` of the input (of ``pixels``
    numbers) and every layer's output for one image; ``cost/training_bytes`` at least in use in a training step: parameters,
    gradients and Adam's two moments, and the activations of a batch.
    """
    total = network_cost(layers)
    activations = pixels + sum(math.prod(layer.output_shape) for layer in layers)
    numbers = {
        "parameters": total.parameters,
        "flops": total.flops,
        "activation_bytes": FLOAT * activations,
        "training_bytes": FLOAT * (4 * total.parameters + batch * activations),
    }
    return {f"cost/{name}": float(number) for name, number in numbers.items()}
