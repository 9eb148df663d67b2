"""Evaluating the mean over several runs as one network."""

import math
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import LightningModule
from torch import nn

from convexp.config import Config, Evaluation
from convexp.data import Dataset
from convexp.errors import ConfigError
from convexp.execution import build
from convexp.execution.evaluation import evaluate
from convexp.execution.recording import data_record
from convexp.execution.reprobe import probing_device
from convexp.execution.restore import restore
from convexp.geometry.placement import Uniform, largest_shift
from convexp.machine.environment import git, versions
from convexp.models import Ensemble
from convexp.models.ensemble import MeanOf
from convexp.probes.results import Measurements, ProbeResult, measure_all
from convexp.records.ensembles import BEYOND, ERROR_BEYOND, ERROR_IN_RANGE, IN_RANGE, EnsembleRecord, Measured, Member, disjoint
from convexp.terminal import console
from convexp.training.probe_runner import probe_sample


def evaluate_ensembles(
    runs: Mapping[Path, tuple[Config, Member]], images: str, sizes: Sequence[int], chosen: Evaluation
) -> tuple[EnsembleRecord, Measurements]:
    """Test ensembles of runs of one configuration, and measure them with its probes.

    For each number of members there are as many ensembles as the runs are enough for, without a run in common, in the order of
    their seeds.

    Args:
        runs: Folder, configuration and what is recorded of each run, in the order of the seeds.
        images: Checksums of the data of the runs and of their split.
        sizes: The numbers of members.
        chosen: What the command line says.

    Returns:
        The record, and what was measured of the last of the largest ensembles.

    Raises:
        ConfigError: If a checkpoint cannot be read, the images are not those of the runs, or a run's task has weights besides
            those of the network.
    """
    config, _ = next(iter(runs.values()))
    data = build.dataset(config)
    if images != (now := data_record(data).images):
        raise ConfigError(f"data ({config.data.name}): these are other images than the runs' (checksums {images}, now {now})")
    members: dict[int, nn.Module] = {}
    for folder, (own, member) in runs.items():
        restored = restore(own, folder, data)
        if restored.changed:
            console.print_error("convexp-eval", f"{folder}: {restored.changed}")
        _check_task(restored.module, restored.network, config)
        members[member.seed] = restored.network.eval()
    found: list[Measured] = []
    measured = Measurements({})
    groups = [seeds for size in sorted(sizes) for seeds in disjoint([*members], size)]
    for seeds in console.track(groups, "ensembles"):
        start = time.perf_counter()
        network = Ensemble([members[seed] for seed in seeds], chosen.mean_of)
        metrics, measured = _measure(network, data, config)
        found.append(Measured(seeds=seeds, metrics=metrics, seconds=round(time.perf_counter() - start, 4)))
    record = EnsembleRecord(
        mean_of=chosen.mean_of,
        runs=[member for _, member in runs.values()],
        images=now,
        ensembles=found,
        trained=_trained(config),
        skipped=measured.skipped,
        versions=versions(),
        git=git(),
        threads=torch.get_num_threads(),
    )
    return record, measured


def _measure(network: Ensemble, data: Dataset, config: Config) -> tuple[dict[str, float], Measurements]:
    """The metrics of a network as a run has them, and what its probes found."""
    tested = evaluate(build.task(config, network), data, config)
    metrics = {name: value for name, value in tested.items() if math.isfinite(value)}  # of a member that diverged none is
    probes, device = build.probes(config), probing_device(config)
    measured = measure_all(probes, network.to(device), probe_sample(data, probes, device, config.outputs_are_scores))
    metrics |= {f"probe/{name}": value for name, value in measured.numbers.items()}
    return metrics | _means_by_range(measured, config, network.mean_of), measured


def _means_by_range(measured: Measurements, config: Config, mean_of: MeanOf) -> dict[str, float]:
    """The means over the shifts that the training has, and over those that are larger.

    They are of the accuracy in the shift map, and of the equivariance error of what the mean is taken of, without the shift by
    0, which has none. There are none if the training draws other shifts than all those of up to one number of pixels in every
    dimension.
    """
    placement, trained = config.data.placement(), _trained(config)
    dims = len(placement.input_size)
    if trained and placement.train != Uniform((-trained,) * dims, (trained,) * dims):
        return {}
    means: dict[str, float] = {}
    if accuracies := _by_distance(measured.get("shift_map"), config, "radius"):
        means |= _split(accuracies, trained, dims, IN_RANGE, BEYOND)
    answer = ("logits" if mean_of == "outputs" else "softmax", "full_radius")
    if errors := _by_distance(measured.get("equivariance"), config, *answer):
        del errors[0]
        means |= _split(errors, trained, dims, ERROR_IN_RANGE, ERROR_BEYOND)
    return means


def _by_distance(found: ProbeResult | None, config: Config, *names: str) -> dict[int, float]:
    """A map of a probe by the distance of the shift, in pixels; empty if the probe shifts otherwise than the training."""
    if found is None or found.protocol != config.data.shift.protocol:
        return {}
    values: Any = found.maps
    for name in names:
        values = values[name]
    return dict(enumerate(values))


def _split(values: Mapping[int, float], trained: int, dims: int, in_range: str, beyond: str) -> dict[str, float]:
    """The means over all shifts up to ``trained`` pixels and over larger ones, from those over shifts of one distance."""
    counts = {r: (2 * r + 1) ** dims - max(0, 2 * r - 1) ** dims for r in values}
    means: dict[str, float] = {}
    for name, within in ((in_range, True), (beyond, False)):
        if chosen := [r for r in values if (r <= trained) == within]:
            means[name] = sum(counts[r] * values[r] for r in chosen) / sum(counts[r] for r in chosen)
    return {name: value for name, value in means.items() if math.isfinite(value)}


def _trained(config: Config) -> int:
    """The largest shift in training, in pixels."""
    return max(largest_shift(config.data.placement().train))


def _check_task(module: LightningModule, network: nn.Module, config: Config) -> None:
    """Check that all weights of a run are those of its network."""
    own = {id(parameter) for parameter in network.parameters()}
    if others := [name for name, parameter in module.named_parameters() if id(parameter) not in own]:
        raise ConfigError(f"task ({config.task.target}): has weights besides the network's ({others[0]}), so no mean is taken")
