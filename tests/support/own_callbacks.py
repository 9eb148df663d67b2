"""Callbacks as a user's own package has them."""

import json
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback


class Accuracies(Callback):
    """Keeps the validation accuracy of every ``every``-th epoch."""

    def __init__(self, every: int) -> None:
        self.every = every
        self.seen: list[float] = []

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if trainer.current_epoch % self.every == 0:
            self.seen.append(float(trainer.callback_metrics["val/acc"]))

    def state_dict(self) -> dict[str, Any]:
        return {"seen": self.seen}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.seen = list(state_dict["seen"])


class Environment(Callback):
    """Writes what the engine gave to the run's process into ``environment.json`` in the run's folder."""

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        names = ("CUDA_VISIBLE_DEVICES", "CONVEXP_ENGINE")
        seen = {name: os.environ.get(name) for name in names} | {"threads": torch.get_num_threads(), "process": os.getpid()}
        Path(trainer.default_root_dir, "environment.json").write_text(json.dumps(seen))


class Arrays(Callback):
    """Has a state that no checkpoint may hold."""

    def state_dict(self) -> dict[str, Any]:
        return {"seen": np.zeros(2)}


class ArraysLater(Accuracies):
    """Has a state that no checkpoint may hold, once the training has begun."""

    def state_dict(self) -> dict[str, Any]:
        return {"seen": np.array(self.seen) if self.seen else None}


class Hold(Callback):
    """Waits in the second epoch, in the process and until the file that CONVEXP_TEST_HOLD names, as in ``1:FILE``."""

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        rank, _, file = os.environ.get("CONVEXP_TEST_HOLD", "").partition(":")
        if file and trainer.current_epoch == 1 and trainer.global_rank == int(rank):
            Path(f"{file}.held").write_text(str(os.getpid()))
            while not Path(file).exists():
                time.sleep(0.01)
