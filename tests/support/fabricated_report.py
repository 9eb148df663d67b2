"""Reports without training: the numbers are made up, their shape is that of real results."""

import math
import struct
import zlib
from pathlib import Path
from typing import Any

from convexp.records import RunRecord, RunStatus
from convexp.records.record import DataRecord, NetworkRecord, ProbeRecord, Seconds
from convexp.reporting.comparison import Comparison
from convexp.reporting.groups import Group
from convexp.reporting.provenance import Provenance
from convexp.reporting.report import Report
from convexp.reporting.unfinished import Unfinished

PARAMETERS = {"dense": 793_098, "local": 105_994, "conv": 10_186}


def run(model: str, seed: int, size: int | None = None, accuracy: float = 0.9, path: str | None = None) -> RunRecord:
    """A finished run with a shift map."""
    radius = [accuracy, accuracy * 0.7, accuracy * 0.4]
    grid = [[radius[max(abs(i - 2), abs(j - 2))] for j in range(5)] for i in range(5)]
    return RunRecord(
        state=RunStatus.FINISHED,
        seed=seed,
        path=path or f"{model}-{size}-seed{seed}",
        config={"seed": seed, "model": {"name": model}, "study": {"name": "made_up", "question": "?"}},
        network=NetworkRecord(parameters=PARAMETERS.get(model, 1000), flops=208_896, width=1.0),
        data=DataRecord(train=size or 1257),
        seconds=Seconds(total=3.5 + seed),
        metrics={
            "test/acc": accuracy,
            "val/acc": accuracy,
            "probe/shift_map/mean": accuracy * 0.6,
            "probe/shift_map/worst": accuracy * 0.4,
            "probe/accounting/forward_ms": 1.2 + seed,
        },
        probes={"shift_map": ProbeRecord(maps={"accuracy": grid, "radius": radius})},
    )


def group(model: str, seeds: int = 3, size: int | None = None, accuracy: float = 0.9, label: str | None = None) -> Group:
    """Finished runs of one configuration; seeds differ by half a per cent."""
    point: dict[str, Any] = {"model": model} if size is None else {"model": model, "data.train_size": size}
    name = model if size is None else f"{model} train_size={size}"
    return Group(label or name, point, [run(model, s, size, min(1.0, accuracy + 0.005 * s)) for s in range(seeds)])


def comparison(
    label: str, baseline: str, difference: float, metric: str = "test/acc", verdict: str | None = None
) -> Comparison:
    """Of three seeds."""
    verdict = verdict or ("no difference shown" if abs(difference) < 0.02 else "higher" if difference > 0 else "lower")
    low, high = difference - 0.02, difference + 0.02
    return Comparison(metric, label, baseline, 3, difference, low, high, 0.02, 0.04, "Student's t", verdict)


PROVENANCE = Provenance(
    settings=[("model.name", [("dense", ["dense-seed0"]), ("conv", ["conv-seed0", "conv-seed1"])])],
    common={"optimizer.lr": "0.004", "trainer.max_epochs": "12"},
    environment=[("torch", [("2.6.0", ["a"])]), ("git commit", [("1a2b3c", ["a"]), ("4d5e6f", ["b", "c"])])],
    warnings=["git commit differs between runs."],
)
NOTHING = Provenance([], {}, [], [])


def three_layers(root: Path = Path("nowhere")) -> Report:
    """Three configurations, three seeds, two comparisons, all finished."""
    groups = [group("dense", accuracy=0.96), group("local", accuracy=0.97), group("conv", accuracy=0.92)]
    comparisons = [comparison("local", "dense", 0.01), comparison("conv", "dense", -0.04)]
    return Report("What do locality and weight sharing buy?", root, None, groups, comparisons, [], PROVENANCE, [])


def train_sizes(root: Path = Path("nowhere"), sizes: tuple[int, ...] = (100, 300, 1000)) -> Report:
    """Three models, some sizes, three seeds; runs that failed and that are missing."""
    groups = [
        group(model, size=size, accuracy=1 - (0.5 + 0.1 * i) * math.exp(-size / (400 + 200 * i)))
        for i, model in enumerate(PARAMETERS)
        for size in sizes
    ]
    comparisons = [
        comparison(f"{m} train_size={s}", f"dense train_size={s}", 0.01 * i, metric)
        for metric in ("test/acc", "probe/shift_map/mean")
        for i, m in enumerate(("local", "conv"), 1)
        for s in sizes
    ]
    unfinished = [
        Unfinished("conv-30-seed2", RunStatus.FAILED, "RuntimeError: CUDA out of memory"),
        Unfinished("conv-30-seed1", RunStatus.MISSING, "planned but not started"),
    ]
    return Report("How many samples does each wiring need?", root, None, groups, comparisons, unfinished, PROVENANCE, [])


def png(width: int = 8, height: int = 6) -> bytes:
    """A small black picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    pixels = zlib.compress((b"\0" + b"\0" * width) * height)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def write_run_files(report: Report) -> None:
    """Learning curves of every run and kernels of every first seed, in the run folders below the report's root."""
    for g in report.groups:
        for made in g.runs:
            folder = report.root / made.path
            folder.mkdir(parents=True, exist_ok=True)
            final = made.metrics["val/acc"]
            rows = [f"{9 * e},{final * (1 - 0.5**e):.4f},{e},{0.5**e + 0.01 * made.seed:.4f}" for e in range(1, 6)]
            (folder / "metrics.csv").write_text("\n".join(["step,val/acc,epoch,train/loss", *rows]) + "\n")
        (report.root / g.runs[0].path / "kernels_stage0.png").write_bytes(png())
