"""The record of a run when it starts, from the objects of the run."""

from collections.abc import Sequence

from msgspec.structs import replace
from pytorch_lightning.callbacks import Callback
from torch import nn

from convexp.config import Config
from convexp.config.sources import versions_of
from convexp.data import Dataset
from convexp.machine.environment import git, now, versions
from convexp.machine.own_code import checksums
from convexp.models import LayerCost, layer_costs, network_cost
from convexp.records import RunRecord, RunStatus
from convexp.records.record import DataRecord, LayerRecord, NetworkRecord
from convexp.records.settings import where_data_lay_first
from convexp.training.relax import Relax


def first_record(config: Config, identity: str, network: NetworkRecord, previous: RunRecord | None = None) -> RunRecord:
    """Return the record of a run that starts: what it is and what it runs on, and no results yet.

    Args:
        config: Configuration of the run.
        identity: Identity of the run.
        network: Record of its network.
        previous: Record of an earlier start, which tells when and with which data folder the run was started first.
    """
    targets = config.target_names()
    return RunRecord(
        state=RunStatus.RUNNING,
        identity=identity,
        name=config.name,
        seed=config.seed,
        extended=previous.extended if previous else None,
        taken_over=previous.taken_over if previous else None,
        started=(previous.started if previous else None) or now(),
        config=where_data_lay_first(config.model_dump(by_alias=True), previous.config if previous else None),
        network=network,
        versions=versions() | versions_of(targets) | _with_earlier(checksums(targets), previous),
        git=git(),
    )


def _with_earlier(own: dict[str, str], previous: RunRecord | None) -> dict[str, str]:
    """The checksums of the user's files; of one that has changed since an earlier start, that of then, too."""
    found: dict[str, str] = {}
    for file, digits in own.items():
        before = previous.versions.get(file, digits) if previous else digits
        found[file] = before if before.endswith(digits) else f"{before}, later {digits}"
    return found


def network_record(layers: list[LayerCost], width: float) -> NetworkRecord:
    """Record what the layers of a network cost, and the factor by which the network was widened."""
    cost = network_cost(layers)
    recorded = tuple(LayerRecord(**vars(layer)) for layer in layers)
    return NetworkRecord(parameters=cost.parameters, flops=cost.flops, layers=recorded, width=width)


def trained_network_record(
    record: NetworkRecord | None, network: nn.Module, input_shape: Sequence[int], callbacks: Sequence[Callback]
) -> NetworkRecord | None:
    """Record as well what a network costs after its training, if a callback has relaxed it."""
    if record is None or not any(isinstance(callback, Relax) and callback.relaxed for callback in callbacks):
        return record
    cost = network_cost(layer_costs(network, tuple(input_shape)))
    return replace(record, relaxed_parameters=cost.parameters, relaxed_flops=cost.flops)


def data_record(data: Dataset) -> DataRecord:
    """Record which data a run has."""
    return DataRecord(
        checksum=data.checksum,
        split=data.split,
        train=len(data.train),
        val=len(data.val),
        test=len(data.test),
        mean=data.mean,
        std=data.std,
        notes=data.notes,
    )
