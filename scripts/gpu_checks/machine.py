"""The machine: its card, driver and libraries, and the rates that all floors come from."""

import importlib.util
import platform
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version

import torch
from results import processor

from gpu_checks.bench import TYPES, Bench, copy_rates, product_rates
from gpu_checks.rows import Row, measured


def facts(bench: Bench) -> dict[str, str]:
    """What the figures hold for: card or processor, driver, and versions."""
    found = {"device": processor()}
    if bench.on_gpu:
        card = torch.cuda.get_device_properties(0)
        found["device"] = f"{card.name}, {card.total_memory / 2**30:.0f} GiB, {card.multi_processor_count} multiprocessors"
        with suppress(OSError, subprocess.SubprocessError):
            asked = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
            found["driver"] = subprocess.run(asked, capture_output=True, text=True, check=True, timeout=60).stdout.strip()
    found |= {"python": platform.python_version()}
    for package in ("torch", "triton", "pytorch-lightning"):
        with suppress(PackageNotFoundError):
            found[package] = version(package)
    return found


def check(bench: Bench) -> Iterator[Row]:
    """What is there, and how fast it copies and multiplies."""
    for name, value in facts(bench).items():
        yield Row(name, "measured", note=value)
    yield measured("copy, read and written", [rate / 1e9 for rate in copy_rates(bench)], "GB/s")
    for name in TYPES:
        yield measured(f"matrix product, {name}", [rate / 1e12 for rate in product_rates(bench, name)], "TFLOP/s")
    missing = [name for name in ("triton", "sklearn", "torchvision") if importlib.util.find_spec(name) is None]
    if missing:
        yield Row("missing packages", "measured", note=", ".join(missing))
