"""Seconds per MNIST epoch of convexp's training against a bare loop over tensors in memory, interleaved in one run.

The network is 784-64-128-64-10 with batch norm (model=mlp); 55,000 images, batch 128, fused Adam; an epoch of convexp
includes its validation on 5,000 images, its logging and its checkpoint, the bare loop only the training steps.

    python scripts/bench_training.py --rounds 5        (needs MNIST: CONVEXP_DATA, or the folder data/)
"""

import argparse
import json
import os
import tempfile
import time
from pathlib import Path
from statistics import median

import pytorch_lightning as pl
import torch
from hydra import compose, initialize_config_dir
from torch.nn import functional as F

from convexp import build
from convexp.config import Config, conf_dir, load
from convexp.data import loader
from convexp.evaluation import quiet
from convexp.training.callbacks import Checkpoints, RandomState
from convexp.training.module import Classifier


def settings() -> Config:
    """The run's configuration."""
    with initialize_config_dir(conf_dir(), version_base="1.3"):
        return load(compose("train", ["model=mlp", "data=mnist", "trainer=cpu"]))


def bare(config: Config) -> float:
    """Seconds of one epoch of the least that trains: index, forward, backward, step."""
    data = build.dataset(config)
    network = build.network(config, data)[0]
    optimizer = build.optimization(config)[0](network.parameters())
    images, labels, size = data.train.images, data.train.labels, config.data.batch_size
    start = time.perf_counter()
    order = torch.randperm(len(labels))
    for i in range(0, len(labels) - size + 1, size):
        index = order[i : i + size]
        loss = F.cross_entropy(network(images[index]), labels[index])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return time.perf_counter() - start


class Clock(pl.Callback):
    """Times the second of two epochs, validation, logging and checkpoint included."""

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start again at each epoch: the last one counts."""
        self.start = time.perf_counter()


def convexp(config: Config, folder: Path) -> float:
    """Seconds of one epoch of a run."""
    data, clock = build.dataset(config), Clock()
    module = Classifier(build.network(config, data)[0], *build.optimization(config))
    folder.mkdir(parents=True, exist_ok=True)
    trainer = pl.Trainer(
        accelerator="cpu",
        max_epochs=2,
        logger=build.loggers(config, folder, None),
        callbacks=[clock, RandomState(), Checkpoints(folder, config.monitor, config.monitor_mode)],
        enable_model_summary=False,
        enable_progress_bar=False,
        num_sanity_val_steps=0,
    )
    trainer.fit(module, loader(data.train, config.data.batch_size, config.seed), loader(data.val, config.data.eval_batch_size))
    return time.perf_counter() - clock.start


def main() -> None:
    """Print the medians and the ratio, write them to outputs/bench_training.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds (default 5)")
    rounds = parser.parse_args().rounds
    quiet()
    config, out = settings(), Path("outputs")
    times: dict[str, list[float]] = {"bare": [], "convexp": []}
    bare(config)  # warms up
    with tempfile.TemporaryDirectory() as scratch:
        for number in range(rounds):
            times["bare"].append(bare(config))
            times["convexp"].append(convexp(config, Path(scratch) / str(number)))
            print(f"round {number + 1}/{rounds}: " + ", ".join(f"{k} {v[-1]:.2f} s" for k, v in times.items()), flush=True)
    ratios = [c / b for b, c in zip(times["bare"], times["convexp"], strict=True)]
    result = {
        "seconds": {k: median(v) for k, v in times.items()},
        "ratio": median(ratios),
        "range": [min(ratios), max(ratios)],
        "n": rounds,
        "threads": torch.get_num_threads(),
        "cores": os.cpu_count(),
        "torch": torch.__version__,
    }
    (out / "bench_training.json").write_text(json.dumps(result, indent=1))
    seconds = result["seconds"]
    print(f"median of {rounds}: bare loop {seconds['bare']:.2f} s, convexp {seconds['convexp']:.2f} s per epoch")
    print(f"ratio {result['ratio']:.2f} ({min(ratios):.2f} to {max(ratios):.2f})")


if __name__ == "__main__":
    main()
