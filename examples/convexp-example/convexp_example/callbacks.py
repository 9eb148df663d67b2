"""A callback of Lightning's Trainer. Its state is in the checkpoints, so that a resumed run goes on as if nothing had been."""

from typing import Any

import pytorch_lightning as pl
from torch.nn.utils import parameters_to_vector


class StopAtNorm(pl.Callback):
    """Log the Euclidean norm of all parameters as ``norm`` after each epoch, and stop the training when it is too large.

    Args:
        largest: Norm at which the training stops.
    """

    def __init__(self, largest: float = 100.0) -> None:
        self.largest = largest
        self.norms: list[float] = []

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Called by Lightning after each epoch."""
        self.norms.append(float(parameters_to_vector(pl_module.parameters()).detach().norm()))
        pl_module.log("norm", self.norms[-1])
        trainer.should_stop = trainer.should_stop or self.norms[-1] > self.largest

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint keeps."""
        return {"norms": self.norms}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore it."""
        self.norms = list(state_dict["norms"])
