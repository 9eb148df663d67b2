"""Callbacks: early stopping, the end after a number of steps, and the random state of torch in the checkpoints."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback, EarlyStopping, ModelCheckpoint

from convexp.config.schema.monitors import Direction, direction
from convexp.training.tasks.task import CHECK_EVERY, check_finite


def early_stopping(monitor: str, patience: int, mode: Direction | None = None) -> EarlyStopping:
    """Make a callback that stops the training when a metric no longer improves.

    Args:
        monitor: Name of the metric.
        patience: Validations without improvement after which the training stops, 0 or more.
        mode: Whether the metric improves by rising (max) or by falling (min); None: by its name.

    Raises:
        ValueError: if ``patience`` is negative.
    """
    if patience < 0:
        raise ValueError(f"patience={patience}: should be 0 or more")
    # Without the check of Lightning's, a metric that is NaN has not improved; a loss that is NaN ends a run by itself.
    return EarlyStopping(monitor, patience=patience, mode=mode or direction(monitor) or "min", check_finite=False)


class StopAfterSteps(Callback):
    """Stops the training after a number of steps, and has the last weights validated.

    Lightning's own ``max_steps`` validates at the ends of epochs only, and resumes a training in the middle of one.

    Args:
        steps: Number of steps of the optimizer.
    """

    def __init__(self, steps: int) -> None:
        self.steps = steps

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Ask Lightning to validate and stop, if this was the last step."""
        if trainer.global_step >= self.steps:
            trainer.should_stop = True


def restrict_paths(callback: ModelCheckpoint) -> None:
    """Let ``callback`` restore only a state whose paths lie in the folder that it writes to.

    It removes the files that its state says it wrote. The state comes from a checkpoint, which anybody may have changed, also
    in a folder whose configuration is the user's own. Without its state the callback forgets which files to keep.
    """
    load = callback.load_state_dict

    def load_if_inside(state_dict: dict[str, Any]) -> None:
        folder = Path(str(callback.dirpath)).resolve()
        names = ("best_model_path", "last_model_path", "kth_best_model_path")
        paths = [*(state_dict.get(name) for name in names), *state_dict.get("best_k_models", ())]
        if all(not path or Path(str(path)).resolve().is_relative_to(folder) for path in paths):
            load(state_dict)

    callback.load_state_dict = load_if_inside


class RandomState(Callback):
    """Saves torch's random state in the checkpoints, so that a resumed run draws the numbers that it would have drawn.

    A checkpoint that is written during a validation has the state before it, as the validation is done again.
    """

    def __init__(self) -> None:
        self._before_validation: dict[str, Any] | None = None

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Note the state."""
        self._before_validation = _random_state()

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Forget the state that was noted."""
        self._before_validation = None

    def state_dict(self) -> dict[str, Any]:
        """Return the generator states of the CPU and of every GPU."""
        return self._before_validation or _random_state()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the generator states; those of GPUs only on a machine with the same number of GPUs."""
        torch.set_rng_state(state_dict["cpu"].cpu())
        if state_dict["cuda"] and torch.cuda.device_count() == len(state_dict["cuda"]):
            torch.cuda.set_rng_state_all([state.cpu() for state in state_dict["cuda"]])


def _random_state() -> dict[str, Any]:
    return {"cpu": torch.get_rng_state(), "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []}


class FiniteLoss(Callback):
    """Stops a training whose loss is NaN or infinite; for modules that are no ``convexp.training.tasks.task.Task``."""

    def __init__(self) -> None:
        self._losses: list[torch.Tensor] = []  # since the last check

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Keep the loss, and check all every so many batches."""
        loss: Any = outputs.get("loss") if isinstance(outputs, Mapping) else outputs  # pyright: ignore[reportUnknownMemberType]
        if isinstance(loss, torch.Tensor):
            self._losses.append(loss.detach())
        if batch_idx % CHECK_EVERY == 0:
            self._check(trainer, batch_idx + 1)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Check the losses since the last check."""
        self._check(trainer, int(trainer.num_training_batches))

    def _check(self, trainer: pl.Trainer, batches: int) -> None:
        losses, self._losses = self._losses, []
        if losses:
            check_finite(losses, trainer, batches)
