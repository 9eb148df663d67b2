"""A run that trains nothing and reads no data: what its network costs (docs/design.md, section 1)."""

import math
import time

from convexp.config import Config
from convexp.execution.network_plan import plan_network
from convexp.execution.recording import first_record, network_record
from convexp.models import LayerCost, network_cost
from convexp.records import RunFolder, RunRecord, RunStatus
from convexp.records.record import Seconds

FLOAT = 4  # bytes


class CountRun:
    """A run that counts parameters, FLOPs and bytes; nothing of the network's size is allocated.

    Args:
        config: Configuration of the run.
        folder: Folder of the run, locked for it.

    Raises:
        ConfigError: if the network cannot be built.
    """

    def __init__(self, config: Config, folder: RunFolder) -> None:
        plan = plan_network(config)
        self.config = config
        self.folder = folder
        self.width = plan.width
        self.layers = plan.count_layers()

    def execute(self) -> RunRecord:
        """Write ``result.json`` and return its record."""
        start, config = time.perf_counter(), self.config
        record = first_record(config, self.folder.identity, network_record(self.layers, self.width))
        record.metrics = cost_metrics(self.layers, math.prod(config.data.input_shape), config.data.batch_size)
        record.state, record.ended = RunStatus.FINISHED, record.started
        record.seconds = Seconds(total=round(time.perf_counter() - start, 4))
        self.folder.write(record)
        return record


def cost_metrics(layers: list[LayerCost], pixels: int, batch_size: int) -> dict[str, float]:
    """Return what the network costs, with 4 bytes for each number.

    Args:
        layers: Costs of the layers.
        pixels: Numbers in one image, all channels included.
        batch_size: Images in a training batch.

    Returns:
        ``cost/parameters``, the number of parameters; ``cost/flops`` of the forward pass for one image;
        ``cost/activation_bytes`` of the input and every layer's output for one image; and ``cost/training_bytes``, a lower
        bound on the memory of a training step: parameters, gradients, Adam's two moments, and the activations of a batch.
    """
    total = network_cost(layers)
    activations = pixels + sum(layer.units for layer in layers)
    numbers = {
        "parameters": total.parameters,
        "flops": total.flops,
        "activation_bytes": FLOAT * activations,
        "training_bytes": FLOAT * (4 * total.parameters + batch_size * activations),
    }
    return {f"cost/{name}": float(number) for name, number in numbers.items()}
