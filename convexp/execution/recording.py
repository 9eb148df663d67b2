"""Sections of a run's record, from the objects of the run."""

from convexp.data import Dataset
from convexp.models import LayerCost, network_cost
from convexp.records.record import DataRecord, LayerRecord, NetworkRecord


def network_record(layers: list[LayerCost], width: float) -> NetworkRecord:
    """Record what the layers of a network cost, and the factor by which the network was widened."""
    cost = network_cost(layers)
    recorded = tuple(LayerRecord(**vars(layer)) for layer in layers)
    return NetworkRecord(parameters=cost.parameters, flops=cost.flops, layers=recorded, width=width)


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
