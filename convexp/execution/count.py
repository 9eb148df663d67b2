"""A run that trains nothing and reads no data: what its network costs (docs/design.md, section 1)."""

import math
import time
from datetime import UTC, datetime

from convexp.config import Config
from convexp.execution import build
from convexp.execution.recording import network_record
from convexp.machine.environment import git, versions
from convexp.models import LayerCost, network_cost
from convexp.records import RunFolder, RunRecord, RunStatus, write_record
from convexp.records.record import Seconds

FLOAT = 4  # bytes


class Costing:
    """Counts parameters, FLOPs and bytes; nothing of the network's size is allocated (torch's meta device)."""

    def __init__(self, config: Config, folder: RunFolder) -> None:
        self.config = config
        self.folder = folder
        planned = build.plan(config)
        self.width, self.layers = planned.width, planned.count_layers()

    def execute(self) -> RunRecord:
        """Write ``result.json`` and return it."""
        start, config = time.perf_counter(), self.config
        now = datetime.now(UTC).isoformat(timespec="seconds")
        record = RunRecord(
            state=RunStatus.FINISHED,
            identity=self.folder.identity,
            name=config.name,
            seed=config.seed,
            started=now,
            config=config.model_dump(by_alias=True),
            network=network_record(self.layers, self.width),
            metrics=costs(self.layers, math.prod(config.data.input_shape), config.data.batch_size),
            versions=versions(),
            git=git(),
            ended=now,
            seconds=Seconds(total=round(time.perf_counter() - start, 4)),
        )
        write_record(self.folder.path, record)
        return record


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
