"""Measuring a network with probes for a command: what is printed, and what is written."""

from collections.abc import Mapping
from pathlib import Path

import torch
from rich.markup import escape
from torch import nn

from convexp.config import Config
from convexp.data import Dataset
from convexp.execution import build
from convexp.probes import Probe, Sample
from convexp.probes.results import ProbeResult, measure_one, number_lines
from convexp.terminal import console
from convexp.training.probe_runner import probe_sample


def reprobe(network: nn.Module, data: Dataset, config: Config, folder: Path) -> None:
    """Measure the network of a finished run with the probes of ``config``, and write the results to ``probes/`` in its folder.

    Args:
        network: Network of the run.
        data: Data set, whose test images are measured on.
        config: Configuration with the probes.
        folder: Folder of the run.
    """
    probes, device = build.probes(config), probing_device(config)
    measure_into(folder / "probes", probes, network.to(device), probe_sample(data, probes, device, config.outputs_are_scores))


def probing_device(config: Config) -> torch.device:
    """The device on which the network of a run is measured: a GPU if there is one and the run may use it."""
    accelerator = config.trainer.accelerator
    return torch.device("cuda" if accelerator in ("gpu", "auto") and torch.cuda.is_available() else "cpu")


def measure_into(folder: Path, probes: Mapping[str, Probe], network: nn.Module, sample: Sample) -> None:
    """Measure a network with several probes; print the numbers of each as soon as it is done, and write them to ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, probe in probes.items():
        result = measure_one(name, probe, network, sample)
        result.save(name, folder)
        _print(name, result)
    console.out.print(f"maps and pictures: {escape(console.display_path(folder))}/")


def _print(name: str, result: ProbeResult) -> None:
    if result.skipped is not None:
        console.out.print(f"[yellow]{name} skipped[/]: {escape(result.skipped)}")
    for number, rest in number_lines(name, result.described()):
        console.out.print(f"[cyan]{escape(number)}[/]  {escape(rest)}".rstrip())
