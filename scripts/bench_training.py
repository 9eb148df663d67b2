"""Images per second of a training epoch on MNIST and the digits: convexp against what is possible and against what is usual.

    bare      a PyTorch loop over tensors in memory, the least that trains: the limit
    convexp   a run, with its checkpoints and loggers
    usual 0   torchvision's MNIST with ToTensor, a DataLoader that fetches image by image, in Lightning; nothing logged to disk
    usual 2   the same with two worker processes

All train the same network, with fused Adam, and validate after each epoch, which is part of the time: on 55,000 images of
MNIST in batches of 128 for one epoch, or on 1,257 digits in batches of 32 for 20 epochs, after a first one that is not timed.
Rounds are interleaved. `usual` is measured for the multilayer perceptron only. Shares of the bare loop are those of the CPU
time of the process, which other processes on the machine disturb less; times of `usual`, which works in several processes,
those of a clock. Where there is no GPU, torch looks for none in any of them: it would do so in each step of the optimizer.

    python scripts/bench_training.py --rounds 5        (needs MNIST: CONVEXP_DATA, or the folder data/)
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.loggers import Logger
from results import Figure, figures, ratios, store
from torch.nn import functional as F
from torch.utils.data import DataLoader, Subset

import convexp
from convexp.config import Config
from convexp.config.compose import compose_config
from convexp.data import loader, training_loader
from convexp.execution import build
from convexp.execution.torch_setup import no_gpu_looked_for, silence_lightning

MLP = ["model=mlp", "model.hidden=[128]", "model.norm=none"]
NETWORKS = {
    "mlp 784-128-10": ["data=mnist", *MLP],
    "conv": ["data=mnist", "model=conv"],
    "local": ["data=mnist", "model=local"],
    "digits mlp": ["data=digits", *MLP],
    "digits conv": ["data=digits", "model=conv"],
    "digits local": ["data=digits", "model=local"],
}
EPOCHS = {"mnist": 1, "digits": 20}
COMMON = ("trainer=cpu", "scheduler=none", "probes=none")
Seconds = tuple[float, float]  # of a clock, and of the process on its CPUs


def settings(overrides: list[str]) -> Config:
    """The run's configuration."""
    return compose_config(*COMMON, *overrides)


def now() -> Seconds:
    """Both times."""
    return time.perf_counter(), time.process_time()


def since(start: Seconds) -> Seconds:
    """The seconds since ``start``."""
    clock, cpu = now()
    return clock - start[0], cpu - start[1]


def bare(overrides: list[str], _folder: Path) -> Seconds:
    """Time of the least that trains and validates."""
    config = settings(overrides)
    data = build.dataset(config)
    network = build.network(config, data)
    optimizer = build.optimization(config, network)[0](network.parameters())
    torch.set_flush_denormal(True)  # as a run does
    size = config.data.batch_size
    (images, labels), (val_images, val_labels) = (part.first(len(part)) for part in (data.train, data.val))

    def epoch() -> None:
        order = torch.randperm(len(labels))
        for i in range(0, len(labels) - size + 1, size):
            index = order[i : i + size]
            loss = F.cross_entropy(network(images[index]), labels[index])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        with torch.inference_mode():
            for i in range(0, len(val_labels), config.data.eval_batch_size):
                part = slice(i, i + config.data.eval_batch_size)
                (network(val_images[part]).argmax(1) == val_labels[part]).sum().item()

    for _ in range(20):  # warms up
        F.cross_entropy(network(images[:size]), labels[:size]).backward()
    start = now()
    for _ in range(EPOCHS[config.data.name]):
        epoch()
    return since(start)


class Clock(pl.Callback):
    """Times all epochs but the first, until the training has ended: validation, logging and checkpoints included."""

    taken: Seconds

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Begin with the second epoch."""
        if trainer.current_epoch == 1:
            self.start = now()

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """End."""
        if stage == "fit":
            Clock.taken = since(self.start)


class LoggerClock(Logger):
    """The same for a run of convexp, whose steps Lightning would make if it had a callback that convexp does not know."""

    taken: Seconds

    def __init__(self, folder: Path, purge_step: int | None) -> None:
        super().__init__()
        self.start: Seconds | None = None

    @property
    def name(self) -> str:
        """Return the name of the logger."""
        return "clock"

    @property
    def version(self) -> str:
        """Return an empty string."""
        return ""

    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
        """Do nothing."""

    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        """Begin when the metrics of the first epoch are known."""
        if self.start is None and "train/loss" in metrics:
            self.start = now()

    def finalize(self, status: str) -> None:
        """End with the training, before the run is done, which ends its loggers once more."""
        if self.start is not None and not hasattr(LoggerClock, "taken"):
            LoggerClock.taken = since(self.start)


def run(overrides: list[str], folder: Path) -> Seconds:
    """Time of a run of convexp."""
    from bench_training import LoggerClock as Imported  # as the run imports it, which is not that of the script

    epochs = 1 + EPOCHS[settings(overrides).data.name]
    clock = ("+logger.clock._target_=bench_training.LoggerClock", "+logger.clock._partial_=true")
    convexp.train(*COMMON, *overrides, *clock, f"trainer.max_epochs={epochs}", folder=folder / "run", progress=False)
    taken = Imported.taken
    del Imported.taken
    return taken


def fit(module: pl.LightningModule, train: Any, val: Any) -> Seconds:
    """Time of the second epoch in Lightning."""
    trainer = pl.Trainer(
        accelerator="cpu",
        max_epochs=2,
        logger=False,
        callbacks=[Clock()],
        enable_checkpointing=False,
        enable_model_summary=False,
        enable_progress_bar=False,
        num_sanity_val_steps=0,
    )
    trainer.fit(module, train, val)
    return Clock.taken


class Usual(pl.LightningModule):
    """What a tutorial writes."""

    def __init__(self, network: torch.nn.Module, make_optimizer: Any) -> None:
        super().__init__()
        self.network = network
        self.make_optimizer = make_optimizer

    def configure_optimizers(self) -> Any:
        """Adam."""
        return self.make_optimizer(self.network.parameters())

    def training_step(self, batch: Any, _index: int) -> Any:
        """Cross entropy."""
        loss = F.cross_entropy(self.network(batch[0]), batch[1])
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch: Any, _index: int) -> None:
        """Accuracy."""
        self.log("val_acc", (self.network(batch[0]).argmax(1) == batch[1]).float().mean())


def usual(workers: int) -> Callable[[list[str], Path], Seconds]:
    """The usual pipeline with so many worker processes."""

    def train(overrides: list[str], _folder: Path) -> Seconds:
        from torchvision.datasets import MNIST
        from torchvision.transforms import ToTensor

        config = settings(overrides)
        data = build.dataset(config)
        network = build.network(config, data)
        network.normalize.scale.mul_(255)  # ToTensor divides by 255
        images = MNIST(config.data.source.spec()["root"], train=True, transform=ToTensor())
        train, val = (Subset(images, part.rows.tolist()) for part in (data.train, data.val))
        more: dict[str, Any] = {"num_workers": workers, "persistent_workers": workers > 0}
        return fit(
            Usual(network, build.optimization(config, network)[0]),
            DataLoader(train, config.data.batch_size, shuffle=True, drop_last=True, **more),
            DataLoader(val, config.data.eval_batch_size, **more),
        )

    return train


def memory() -> dict[str, float]:
    """Megabytes of MNIST as uint8, and by how much the process grows with its data set: afterwards, and at most."""

    def resident(line: str) -> float:
        status = dict(row.split(":", 1) for row in Path("/proc/self/status").read_text().splitlines())
        return int(status[line].split()[0]) * 1.024e-3

    build.dataset(compose_config("data=digits"))  # code that is loaded on first use is no data
    config = settings(["data=mnist"])
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
    before = resident("VmRSS")
    data = build.dataset(config)
    for batches in (training_loader(data.train, 128, data.shifts, 0), loader(data.test, 1000)):
        for _ in batches:
            pass
    size = (data.train.images.nbytes + data.test.images.nbytes) / 1e6
    return {"uint8": size, "grown": resident("VmRSS") - before, "peak": resident("VmHWM") - before}


def interval(ratios: list[float]) -> str:
    """Median and range."""
    return f"{median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}, n = {len(ratios)})"


def compare(name: str, contenders: dict[str, Callable[[list[str], Path], Seconds]], rounds: int) -> dict[str, Any]:
    """Time all contenders in turn, print the ratios, and return the times."""
    overrides = NETWORKS[name]
    data = settings(overrides).data.name
    images = EPOCHS[data] * len(build.dataset(settings(overrides)).train)
    times: dict[str, list[Seconds]] = {contender: [] for contender in contenders}
    for number in range(rounds):
        for contender, train in contenders.items():
            with tempfile.TemporaryDirectory() as scratch, no_gpu_looked_for():
                times[contender].append(train(overrides, Path(scratch)))
        print(f"{name}, round {number + 1}: " + ", ".join(f"{k} {v[-1][1]:.2f} s" for k, v in times.items()), flush=True)
    speeds = {k: median(images / clock for clock, _ in v) for k, v in times.items()}
    for contender, taken in times.items():
        shares = [b / c for (_, b), (_, c) in zip(times["bare"], taken, strict=True)]
        leads = [c / x for (c, _), (x, _) in zip(taken, times["convexp"], strict=True)]
        print(
            f"  {contender:8} {speeds[contender]:9,.0f} images/s; of the bare loop's {interval(shares)}; "
            f"time / convexp's {interval(leads)}"
        )
    return {"images/s": speeds, "seconds": times}


def measured(name: str, times: dict[str, list[Seconds]]) -> list[Figure]:
    """Wall seconds of each contender, and what they are of the bare loop's."""
    clock = {contender: [each for _, each in taken] for contender, taken in times.items()}
    return [*figures(clock, "s", f"{name}, "), *ratios(clock, "bare", f"{name}, ")]


def main() -> None:
    """Print medians and ratios, write them to bench_training.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds (default 5)")
    parser.add_argument("--networks", nargs="*", default=list(NETWORKS), help=f"of {list(NETWORKS)} (default all)")
    parser.add_argument("--without-usual", action="store_true", help="leave out the usual pipeline")
    parser.add_argument("--out", type=Path, default=Path("outputs"), help="folder for the JSON file (default outputs)")
    parser.add_argument("--memory", action="store_true", help=argparse.SUPPRESS)  # in a process of its own
    arguments = parser.parse_args()
    silence_lightning()
    if arguments.memory:
        print(json.dumps(memory()))
        return
    result: dict[str, Any] = {"threads": torch.get_num_threads(), "cores": os.cpu_count(), "torch": torch.__version__}
    for name in arguments.networks:
        contenders = {"bare": bare, "convexp": run}
        if name == "mlp 784-128-10" and not arguments.without_usual:
            contenders |= {"usual 0": usual(0), "usual 2": usual(2)}
        result[name] = compare(name, contenders, arguments.rounds)
    alone = {**os.environ, "OMP_NUM_THREADS": "1"}  # what threads need is no data
    done = subprocess.run([sys.executable, __file__, "--memory"], capture_output=True, text=True, check=True, env=alone)
    result["memory"] = json.loads(done.stdout)
    used = result["memory"]
    print(
        f"memory: {used['uint8']:.0f} MB of uint8 images; the process grows by {used['grown'] / used['uint8']:.2f} times that, "
        f"{used['peak'] / used['uint8']:.2f} times while reading"
    )
    store(__file__, [row for name in arguments.networks for row in measured(name, result[name]["seconds"])])
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / "bench_training.json").write_text(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
