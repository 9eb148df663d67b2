"""Measuring the probes at the end of a run, and their pictures."""

import torch
from torch import nn

from convexp.data.preview import preview_grid
from convexp.execution.recorder import Recorder
from convexp.execution.setup import Setup
from convexp.probes.figures import numbers_over_epochs
from convexp.probes.pictures import Pictures
from convexp.records import RunRecord
from convexp.training.probe_runner import flatten_numbers, measure, probe_sample


def measure_probes(
    setup: Setup, network: nn.Module, device: torch.device, recorder: Recorder
) -> tuple[Pictures, list[Exception]]:
    """Measure the network with all probes and record their numbers.

    A probe that fails does not keep the others from being measured.

    Args:
        setup: Parts of the run that do not change.
        network: Network to measure.
        device: Device to measure on.
        recorder: Recorder of the run.

    Returns:
        The pictures of the data, of the probes and of the numbers over the epochs, by name; and the errors of probes that
        failed.
    """
    pictures, failures = {"data": preview_grid(setup.data, setup.config.seed, augmenter=setup.augmenter)}, list[Exception]()
    network.to(device)
    record, scores = recorder.record, setup.config.outputs_are_scores
    sample = probe_sample(setup.data, setup.probes, device, scores)
    with recorder.stopwatch.time("probes"):
        for name, probe in setup.probes.items():
            try:
                record.probes[name], found = measure(name, probe, network, sample)
            except Exception as error:
                failures.append(error)
            else:
                pictures |= found
    record.metrics |= {f"probe/{name}": value for name, value in flatten_numbers(record.probes).items()}
    return pictures | _learning_curves(record), failures


def _learning_curves(record: RunRecord) -> Pictures:
    """Draw the probes' numbers over the epochs, if the run has them."""
    rows = record.by_epoch or []
    picture = numbers_over_epochs([row.epoch for row in rows], [row.numbers for row in rows])
    return {} if picture is None else {"learning": picture}
