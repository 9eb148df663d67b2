"""What benchmarks have measured, in one file per machine.

Every ``scripts/bench_*.py`` and ``gpu_check.py`` ends with ``store(__file__, figures)``. It writes only if a folder is named:

    CONVEXP_BENCHMARKS=docs/benchmarks python scripts/bench_data.py
    python scripts/results_page.py                                     (draws the pages of docs/ from these files)

The file is named after processor and card, and holds for each command when, at which commit and with which versions it ran.
"""

import json
import os
import platform
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from typing import Any

FOLDER = "CONVEXP_BENCHMARKS"
PACKAGES = ("torch", "triton", "pytorch-lightning", "hydra-core", "numpy")


@dataclass(frozen=True)
class Figure:
    """A figure that was measured ``n`` times.

    Attributes:
        name: What was measured.
        figure: The median.
        unit: Its unit; ``x`` for a ratio.
        n: How many times.
        min: The smallest.
        max: The largest.
    """

    name: str
    figure: float
    unit: str
    n: int
    min: float
    max: float


def figure(name: str, values: Sequence[float], unit: str) -> Figure:
    """Median and range of what was measured in several rounds."""
    return Figure(name, median(values), unit, len(values), min(values), max(values))


def figures(found: Mapping[str, Sequence[float]], unit: str, prefix: str = "") -> list[Figure]:
    """A figure for each name, called ``prefix`` and the name."""
    return [figure(f"{prefix}{name}", values, unit) for name, values in found.items()]


def ratios(found: Mapping[str, Sequence[float]], base: str, prefix: str = "") -> list[Figure]:
    """Of every name but ``base``: what was measured over what was measured of ``base`` in the same round."""
    over = {
        f"{name} / {base}": [a / b for a, b in zip(values, found[base], strict=True)]
        for name, values in found.items()
        if name != base
    }
    return figures(over, "x", prefix)


def store(script: str, measured: Sequence[Figure]) -> None:
    """Put figures into this machine's file, in place of those of the same command, if ``CONVEXP_BENCHMARKS`` names a folder.

    Args:
        script: The ``__file__`` of the benchmark.
        measured: What it has measured.
    """
    if measured and (folder := os.environ.get(FOLDER)):
        put(
            Path(folder),
            machine(),
            {**circumstances(command(script, sys.argv[1:])), "rows": [asdict(each) for each in measured]},
        )


def put(folder: Path, where: dict[str, Any], result: dict[str, Any]) -> None:
    """Put the result of a command into the file of a machine, in place of that of the same command.

    Args:
        folder: Folder of the files.
        where: The machine, as ``machine`` says it.
        result: The command, its circumstances and its rows.
    """
    file = folder / f"{file_name(where)}.json"
    before: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))["results"] if file.exists() else []
    others = [each for each in before if each["command"] != result["command"]]
    written = {"machine": where, "results": sorted([*others, result], key=lambda each: each["command"])}
    folder.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(written, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def command(script: str, arguments: Sequence[str]) -> str:
    """The command line that repeats the benchmark: without ``--out``, which names a folder of this machine."""
    kept = [
        each
        for before, each in zip(["", *arguments], arguments, strict=False)
        if not (before == "--out" or each.startswith("--out"))
    ]
    return shlex.join(["python", f"scripts/{Path(script).name}", *kept])


def circumstances(line: str) -> dict[str, Any]:
    """The command, the date, the commit and the versions of what it ran with."""
    versions = {"python": platform.python_version()}
    for package in PACKAGES:
        with suppress(PackageNotFoundError):
            versions[package] = version(package)
    date = datetime.now(UTC).date().isoformat()
    commit = said_by("git", "-C", str(Path(__file__).parent), "rev-parse", "--short=10", "HEAD")
    return {"command": line, "date": date, "commit": commit, "versions": versions}


def machine() -> dict[str, Any]:
    """Processor, number of its cores, and card (empty if there is none)."""
    cards = said_by("nvidia-smi", "--query-gpu=name", "--format=csv,noheader").splitlines()
    return {"processor": processor(), "cores": os.cpu_count(), "card": cards[0].strip() if cards else ""}


def processor() -> str:
    """The name of the processor, where Linux says it."""
    with suppress(OSError, StopIteration):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return platform.processor() or platform.machine()


def file_name(where: Mapping[str, Any]) -> str:
    """The name of a machine's file: processor, cores and card, as far as they are known."""
    cores = f"{where['cores']} cores" if where["cores"] else ""
    words = " ".join(each for each in (where["processor"], cores, where["card"]) if each)
    return re.sub(r"[^a-z0-9]+", "_", words.lower()).strip("_")


def said_by(*line: str) -> str:
    """What a command prints; nothing if it is not there or fails."""
    with suppress(OSError, subprocess.SubprocessError):
        return subprocess.run(line, capture_output=True, text=True, check=True, timeout=60).stdout.strip()
    return ""
