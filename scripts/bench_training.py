"""Images per second of a training epoch on MNIST: convexp against what is possible and against what is usual.

    bare      a PyTorch loop over tensors in memory, the least that trains: the limit
    convexp   its loader, module, checkpoint and loggers in Lightning
    usual 0   torchvision's MNIST with ToTensor, a DataLoader that fetches image by image, in Lightning; nothing logged to disk
    usual 2   the same with two worker processes

All train the same network on 55,000 images, batch 128, fused Adam, and validate on 5,000 after the epoch, which is part of
the time. Rounds are interleaved, and each times its second epoch. `usual` is measured for the multilayer perceptron only.

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
from torch.nn import functional as F
from torch.utils.data import DataLoader, Subset

from convexp.config import Config
from convexp.config.compose import compose_config
from convexp.data import loader, training_loader
from convexp.execution import build
from convexp.execution.torch_setup import silence_lightning
from convexp.training.callbacks import RandomState
from convexp.training.checkpoints import Checkpoints
from convexp.training.profiler import NoProfiler

NETWORKS = {
    "mlp 784-128-10": ["model=mlp", "model.hidden=[128]", "model.norm=none"],
    "conv": ["model=conv"],
    "local": ["model=local"],
}


def settings(overrides: list[str]) -> Config:
    """The run's configuration."""
    return compose_config("data=mnist", "trainer=cpu", "scheduler=none", *overrides)


def bare(config: Config, _folder: Path) -> float:
    """Seconds of one epoch of the least that trains and validates."""
    data = build.dataset(config)
    network = build.network(config, data)
    network = build.network(config, data)
    optimizer = build.optimization(config, network)[0](network.parameters())
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
    start = time.perf_counter()
    epoch()
    return time.perf_counter() - start


class Clock(pl.Callback):
    """Times the last epoch, from its start until the training ends: validation, logging and checkpoint included."""

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start again at each epoch: the last one counts."""
        self.start = time.perf_counter()


def fit(module: pl.LightningModule, train: Any, val: Any, callbacks: list[Any], logger: Any, **more: Any) -> float:
    """Seconds of the second epoch."""
    clock = Clock()
    trainer = pl.Trainer(
        accelerator="cpu",
        max_epochs=2,
        logger=logger,
        callbacks=[clock, *callbacks],
        enable_model_summary=False,
        enable_progress_bar=False,
        num_sanity_val_steps=0,
        **more,
    )
    trainer.fit(module, train, val)
    return time.perf_counter() - clock.start


def convexp(config: Config, folder: Path) -> float:
    """Seconds of one epoch of a run."""
    data = build.dataset(config)
    network = build.network(config, data)
    module = build.task(config, network, *build.optimization(config, network))
    train = training_loader(data.train, config.data.batch_size, data.shifts, config.seed)
    callbacks = [RandomState(), Checkpoints(folder, config.monitor, config.improvement)]
    logger = [make(folder=folder, purge_step=None) for make in build.loggers(config)]
    return fit(module, train, loader(data.val, config.data.eval_batch_size), callbacks, logger, profiler=NoProfiler())


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


def usual(workers: int) -> Callable[[Config, Path], float]:
    """The usual pipeline with so many worker processes."""

    def run(config: Config, _folder: Path) -> float:
        from torchvision.datasets import MNIST
        from torchvision.transforms import ToTensor

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
            callbacks=[],
            logger=False,
            enable_checkpointing=False,
        )

    return run


def memory() -> dict[str, float]:
    """Megabytes of MNIST as uint8, and by how much the process grows with its data set: afterwards, and at most."""

    def resident(line: str) -> float:
        status = dict(row.split(":", 1) for row in Path("/proc/self/status").read_text().splitlines())
        return int(status[line].split()[0]) * 1.024e-3

    build.dataset(compose_config("data=digits"))  # code that is loaded on first use is no data
    config = settings([])
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
        config = settings(NETWORKS[name])
        contenders = {"bare": bare, "convexp": convexp}
        if name.startswith("mlp") and not arguments.without_usual:
            contenders |= {"usual 0": usual(0), "usual 2": usual(2)}
        times: dict[str, list[float]] = {contender: [] for contender in contenders}
        for number in range(arguments.rounds):
            for contender, run in contenders.items():
                with tempfile.TemporaryDirectory() as scratch:
                    times[contender].append(run(config, Path(scratch)))
            print(f"{name}, round {number + 1}: " + ", ".join(f"{k} {v[-1]:.2f} s" for k, v in times.items()), flush=True)
        rows = {k: [55_000 / s for s in v] for k, v in times.items()}
        result[name] = {"images/s": {k: median(v) for k, v in rows.items()}, "seconds": times}
        for contender in contenders:
            shares = [b / c for b, c in zip(times["bare"], times[contender], strict=True)]
            leads = [c / x for c, x in zip(times[contender], times["convexp"], strict=True)]
            print(
                f"  {contender:8} {median(rows[contender]):9,.0f} images/s; of the bare loop's {interval(shares)}; "
                f"time / convexp's {interval(leads)}"
            )
    alone = {**os.environ, "OMP_NUM_THREADS": "1"}  # what threads need is no data
    done = subprocess.run([sys.executable, __file__, "--memory"], capture_output=True, text=True, check=True, env=alone)
    result["memory"] = json.loads(done.stdout)
    used = result["memory"]
    print(
        f"memory: {used['uint8']:.0f} MB of uint8 images; the process grows by {used['grown'] / used['uint8']:.2f} times that, "
        f"{used['peak'] / used['uint8']:.2f} times while reading"
    )
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / "bench_training.json").write_text(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
