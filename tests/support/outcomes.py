"""What a run folder says, and what of it has to be the same however the run got there."""

import csv

import torch


def weights(folder, name="last"):
    return torch.load(folder / "checkpoints" / f"{name}.ckpt", map_location="cpu", weights_only=True)


def same(a, b):
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b


def science(result):
    """The part of a result that the same configuration must give again."""
    metrics = {k: v for k, v in result["metrics"].items() if k != "seconds_per_epoch" and "accounting" not in k}
    probes = {k: (v.get("numbers"), v.get("maps")) for k, v in result["probes"].items() if k != "accounting"}  # it takes time
    return metrics, probes, result.get("by_epoch"), result["identity"]


def curves(folder):
    """The rows of metrics.csv, without the times of the accounting probe in the last one."""
    with (folder / "metrics.csv").open() as file:
        return [{k: v for k, v in row.items() if "accounting" not in k} for row in csv.DictReader(file)]
