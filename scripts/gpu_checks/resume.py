"""A run that is stopped in the middle of an epoch and resumed ends with the bits of the run that nobody stopped."""

import signal
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch

from gpu_checks.bench import Bench
from gpu_checks.commands import Command, record
from gpu_checks.hold import VARIABLE
from gpu_checks.rows import Row, failed, true

NETWORKS = {
    "local": ("model=local", "model.channels=[4,8]", "+callbacks.hold={_target_:gpu_checks.hold.HoldBeforeBatches}"),
    "vision transformer with dropout": (
        "model=vit_tiny",
        "model.network.layers=2",
        "model.network.dropout=0.1",
        "+callbacks.hold={_target_:gpu_checks.hold.HoldBetweenBatches}",
    ),
}
SIGNALS = {"kill -9": signal.SIGKILL, "SIGTERM": signal.SIGTERM}
COMMON = (
    "data=digits",
    "trainer.max_epochs=3",
    "trainer.deterministic=true",
    "probes=none",
    "playground=false",
    "logger=csv",
)


def check(bench: Bench) -> Iterator[Row]:
    """For each network and signal: weights of the resumed run against those of the uninterrupted one."""
    device = bench.sized(("trainer=gpu", "trainer.precision=32-true"), ("trainer=cpu", "trainer.threads=1"))
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(bench.sized(6, 2)) as pool:
        cases = [(network, name) for network in NETWORKS for name in ("uninterrupted", *SIGNALS)]
        runs = {
            case: pool.submit(
                run, Path(scratch, "-".join(case).replace(" ", "_")), (*COMMON, *device, *NETWORKS[case[0]]), case[1]
            )
            for case in cases
        }
        for network in NETWORKS:
            for name in SIGNALS:
                try:
                    yield compare(f"{network}, {name}", runs[network, "uninterrupted"].result(), runs[network, name].result())
                except Exception as error:
                    yield failed(f"{network}, {name}", f"{type(error).__name__}: {error}")


def run(folder: Path, overrides: tuple[str, ...], name: str) -> Path:
    """Train; stop it by a signal in the middle of the second epoch and resume it, if ``name`` is that of one."""
    log, go = folder.with_suffix(".log"), folder.with_suffix(".go")
    arguments = [*overrides, f"hydra.run.dir={folder}"]
    if name in SIGNALS:
        first = Command(arguments, log, {VARIABLE: str(go)})
        first.wait_for(Path(f"{go}.held"))
        first.process.send_signal(SIGNALS[name])
        go.touch()
        first.finish()
        if record(folder)["state"] == "finished":
            raise RuntimeError("was not stopped")
        arguments = [f"resume={folder}"]
    Command(arguments, log).succeed()
    return folder


def compare(what: str, whole: Path, resumed: Path) -> Row:
    """Weights and optimizer in the last checkpoints, and the tests' metrics."""
    one, other = (
        torch.load(each / "checkpoints" / "last.ckpt", map_location="cpu", weights_only=True) for each in (whole, resumed)
    )
    metrics = [{k: v for k, v in record(each)["metrics"].items() if k.startswith("test/")} for each in (whole, resumed)]
    parts = [name for name in ("state_dict", "optimizer_states") if not equal(one[name], other[name])]
    parts += [] if metrics[0] == metrics[1] else ["metrics of the test"]
    return true(
        f"{what}: resumed equals uninterrupted, bit for bit", not parts, f"differs: {', '.join(parts)}" if parts else ""
    )


def equal(one: Any, other: Any) -> bool:
    """Whether two trees of dictionaries, lists and tensors are the same."""
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(equal(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(equal(a, b) for a, b in zip(one, other, strict=True))
    return one == other
