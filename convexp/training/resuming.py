"""Reading the checkpoints that a run is resumed from.

A run folder may come from anybody, and its files may be damaged. What Lightning would restore wrongly or only in part without
an error is found here, before the training starts.
"""

from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import LightningModule

from convexp.errors import ConvexpError, one_line
from convexp.training.callbacks import RandomState
from convexp.training.checkpoints import BEST, LAST, Checkpoints
from convexp.training.relax import load_state
from convexp.training.tasks.epoch_state import has_batches
from convexp.training.tasks.task import Task

TYPES: dict[str, type] = {
    "epoch": int,
    "global_step": int,
    "state_dict": dict,
    "loops": dict,
    "callbacks": dict,
    "optimizer_states": list,
    "lr_schedulers": list,
}
REQUIRED_CALLBACKS = (Checkpoints.__name__, RandomState.__name__)


class UnusableError(Exception):
    """Raised if a run cannot be resumed from its checkpoints; the message says why."""


def read_checkpoints(folder: Path, module: LightningModule) -> dict[str, Any] | None:
    """Read ``last.ckpt`` and load its weights into ``module``; ``best.ckpt`` is checked as well.

    Args:
        folder: Folder of the checkpoints.
        module: Module of the same configuration.

    Returns:
        The content of ``last.ckpt``; None if there is no such file, as the run was killed in its first epoch.

    Raises:
        UnusableError: if one of the files is missing or damaged, or does not belong to ``module``.
        ConvexpError: if a file cannot be read because of its permissions or the disk: its content may be good.
    """
    if not (folder / LAST).exists():
        return None
    last = _read(folder / LAST, module)
    if last["callbacks"][Checkpoints.__name__]["best"] is not None:  # there is none before the first validation
        # After a kill between two renames it may be of a later epoch, whose network is relaxed: the one to train is not.
        _read(folder / BEST, deepcopy(module))
    return last


def position(checkpoint: dict[str, Any] | None) -> tuple[int, int]:
    """The epoch and the batch that a training goes on with after ``checkpoint``, both counted from 0."""
    if checkpoint is None:
        return 0, 0
    batches = _batches(checkpoint)
    return (checkpoint["epoch"], batches) if batches else (checkpoint["epoch"] + 1, 0)


def _batches(checkpoint: dict[str, Any]) -> int:
    """The batches of an unfinished epoch that are done; older versions wrote checkpoints at the ends of epochs only."""
    return checkpoint["callbacks"][Checkpoints.__name__].get("batches", 0)


@contextmanager
def restoring(checkpoint: dict[str, Any] | None, callback: Checkpoints) -> Generator[None]:
    """Turn errors of Lightning in restoring ``checkpoint`` into an UnusableError.

    Args:
        checkpoint: Checkpoint that the training in the block is resumed from; None if it starts at the beginning.
        callback: Callback of the same training, by which errors of the training itself are told from those of restoring.

    Raises:
        UnusableError: if Lightning fails before the training has started.
    """
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        if checkpoint is None or callback.has_started:
            raise
        raise UnusableError(f"{LAST} cannot be resumed from: {type(error).__name__}: {one_line(error)}") from error


def _read(file: Path, module: LightningModule) -> dict[str, Any]:
    try:
        found = torch.load(file, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise UnusableError(f"{file.name} is missing") from None
    except OSError as error:
        raise ConvexpError(f"{file}: cannot be read ({error.strerror})") from None
    except Exception as error:
        raise UnusableError(f"{file.name} cannot be read: {type(error).__name__}") from None
    if not isinstance(found, dict):
        raise UnusableError(f"{file.name} holds no dictionary")
    if problem := _problem(found, module):
        raise UnusableError(f"{file.name} {problem}")
    return found


def _problem(checkpoint: dict[str, Any], module: LightningModule) -> str | None:
    """Say what is wrong with a checkpoint; None if it is as ``module`` would write it."""
    for key, kind in TYPES.items():
        if not isinstance(checkpoint.get(key), kind):
            return f"has no {key} that is of type {kind.__name__}"
    if min(checkpoint["epoch"], checkpoint["global_step"]) < 0:
        return "has a negative count"
    counts = len(checkpoint["optimizer_states"]), len(checkpoint["lr_schedulers"])
    if isinstance(module, Task) and counts != (1, int(module.make_scheduler is not None)):
        return "has the state of other optimizers or schedules"
    if missing := [name for name in REQUIRED_CALLBACKS if not checkpoint["callbacks"].get(name)]:
        return f"has no state of {missing[0]}"
    if not _is_state_of_checkpoints(checkpoint["callbacks"][Checkpoints.__name__]):
        return "has no best value and its epoch"
    if not _counts_agree(checkpoint):
        return "counts epochs or batches in two ways"
    if _batches(checkpoint) and isinstance(module, Task) and not has_batches(checkpoint, _batches(checkpoint)):
        return "does not hold the losses of the unfinished epoch"
    return None if _load_weights(module, checkpoint) else "holds the weights of another network"


def _is_state_of_checkpoints(state: Any) -> bool:
    kinds = {"best": float | None, "best_epoch": int, "stopped": bool}
    if not isinstance(state, dict) or not all(key in state and isinstance(state[key], kind) for key, kind in kinds.items()):
        return False
    return type(batches := state.get("batches", 0)) is int and batches >= 0


def _counts_agree(checkpoint: dict[str, Any]) -> bool:
    """Whether the state of Lightning's loop belongs to the checkpoint's epoch and its batches.

    The loop counts an epoch as processed when it ends, and its checkpoint is written just before or just after that.
    """
    try:
        loop, batches = checkpoint["loops"]["fit_loop"], _batches(checkpoint)
        ahead = loop["epoch_progress"]["current"]["processed"] - checkpoint["epoch"]
        if batches:
            return ahead == 0 and loop["epoch_loop.batch_progress"]["current"]["completed"] == batches
        return ahead in (0, 1)
    except (LookupError, TypeError):
        return False


def _load_weights(module: LightningModule, checkpoint: dict[str, Any]) -> bool:
    """Load weights into ``module``, also under names of earlier versions; return whether names, shapes and types fit."""
    state = checkpoint["state_dict"]
    if not all(isinstance(name, str) and isinstance(value, torch.Tensor) for name, value in state.items()):
        return False
    try:
        load_state(module, checkpoint)
    except RuntimeError:  # other names or shapes
        return False
    return _dtypes(state) == _dtypes(module.state_dict())  # torch converts other types without an error


def _dtypes(state: dict[Any, Any]) -> Counter[torch.dtype]:
    return Counter(value.dtype for value in state.values())
