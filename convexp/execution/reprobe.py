"""Measuring a finished run with other probes."""

from collections.abc import Sequence
from pathlib import Path

import torch
from rich.markup import escape
from torch import nn

from convexp.config import Config
from convexp.config.docstrings import Entry
from convexp.data import Dataset
from convexp.execution import build
from convexp.execution.probing import save_pictures
from convexp.files.json_files import write_json
from convexp.probes.numbers import describe_number
from convexp.records.encode import plain
from convexp.terminal import console
from convexp.training.probe_runner import measure, probe_sample


def reprobe(network: nn.Module, data: Dataset, config: Config, folder: Path) -> None:
    """Measure the network with the probes of ``config``.

    The numbers are printed. Numbers, maps and pictures are written to ``probes/`` in the run folder.

    Args:
        network: The network.
        data: Data set, whose test images are measured on.
        config: Configuration with the probes.
        folder: Folder of the run.
    """
    probes, accelerator = build.probes(config), config.trainer.accelerator
    device = torch.device("cuda" if accelerator in ("gpu", "auto") and torch.cuda.is_available() else "cpu")
    network, sample = network.to(device), probe_sample(data, probes, device)
    target = folder / "probes"
    target.mkdir(exist_ok=True)
    for name, probe in probes.items():
        record, pictures = measure(name, probe, network, sample)
        write_json(target / f"{name}.json", {"settings": (config.probes or {})[name].spec(), **plain(record)})
        save_pictures(pictures, target)
        if record.skipped is not None:
            console.out.print(f"[yellow]{name} skipped[/]: {escape(record.skipped)}")
        print_numbers(name, [(number, value, describe_number(type(probe), number)) for number, value in record.numbers.items()])
    console.out.print(f"maps and pictures: {escape(console.display_path(target))}/")


def print_numbers(probe: str, numbers: Sequence[tuple[str, float, Entry | None]]) -> None:
    """Print the numbers of a probe, a line for each: name, value, unit and description.

    Args:
        probe: Name of the probe.
        numbers: Name, value and description of each number. A description that several numbers share is printed once.
    """
    width = max((len(f"{probe}/{name}") for name, _, _ in numbers), default=0)
    printed: set[Entry] = set()
    for name, value, entry in numbers:
        unit, text = (entry.kind, "" if entry in printed else entry.text.replace("``", "")) if entry else ("", "")
        printed |= {entry} if entry else set()
        line = f"[cyan]{escape(f'{probe}/{name}'):<{width}}[/]  {value:<12.6g} {escape(unit):<11} {escape(text)}"
        console.out.print(line.rstrip())
