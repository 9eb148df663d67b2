"""Which checkpoints a run can go on from, as whatever was in its folder may be there still, damaged or by somebody else."""

from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from convexp.errors import ConvexpError, one_line
from convexp.training.callbacks import BEST, LAST, Checkpoints, RandomState
from convexp.training.module import Classifier

KINDS: dict[str, type] = {
    "epoch": int,
    "global_step": int,
    "state_dict": dict,
    "loops": dict,
    "callbacks": dict,
    "optimizer_states": list,
    "lr_schedulers": list,
}
CALLBACKS = (Checkpoints.__name__, RandomState.__name__)


class UnusableError(Exception):
    """A run cannot go on from its checkpoints; it says why."""


def read_checkpoints(folder: Path, module: Classifier) -> dict[str, Any] | None:
    """What ``last.ckpt`` holds, and ``module`` too; None if there is none, as the first epoch was not done.

    Raises:
        UnusableError: saying why, if ``module`` cannot go on from what is there.
        ConvexpError: if it is not permitted to read it, or the disk fails: what is there may be good.
    """
    if not (folder / LAST).exists():
        return None
    _read(folder / BEST, module)
    return _read(folder / LAST, module)


@contextmanager
def restoring(checkpoint: dict[str, Any] | None, callback: Checkpoints) -> Generator[None]:
    """While a training is restored from ``checkpoint`` and goes on.

    Raises:
        UnusableError: if Lightning stumbles over what it restores, before ``callback`` is told that the training begins.
    """
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        if checkpoint is None or callback.began:
            raise
        raise UnusableError(f"{LAST} cannot be gone on with: {type(error).__name__}: {one_line(error)}") from error


def _read(file: Path, module: Classifier) -> dict[str, Any]:
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
    if wrong := _wrong(found, module):
        raise UnusableError(f"{file.name} {wrong}")
    return found


def _wrong(found: dict[str, Any], module: Classifier) -> str | None:
    """What is not as ``module`` would write it; above all what Lightning would leave as it is without a word."""
    for key, kind in KINDS.items():
        if not isinstance(found.get(key), kind):
            return f"has no {key} that is of type {kind.__name__}"
    if min(found["epoch"], found["global_step"]) < 0:
        return "has a negative count"
    if (len(found["optimizer_states"]), len(found["lr_schedulers"])) != (1, int(module.make_scheduler is not None)):
        return "has the state of other optimizers or schedules"
    if lacking := [name for name in CALLBACKS if not found["callbacks"].get(name)]:
        return f"has no state of {lacking[0]}"
    if not _is_best(found["callbacks"][Checkpoints.__name__]):
        return "has no best value and its epoch"
    if not _counts_alike(found):
        return "counts epochs in two ways"
    return None if _takes(module, found["state_dict"]) else "holds the weights of another network"


def _is_best(state: Any) -> bool:
    """Whether it is what ``Checkpoints`` keeps."""
    kinds = {"best": float | None, "best_epoch": int, "stopped": bool}
    return isinstance(state, dict) and all(key in state and isinstance(state[key], kind) for key, kind in kinds.items())


def _counts_alike(found: dict[str, Any]) -> bool:
    """Whether Lightning's loop has come as far as the checkpoint says; it counts an epoch when it is done, or just before."""
    try:
        return found["loops"]["fit_loop"]["epoch_progress"]["current"]["processed"] - found["epoch"] in (0, 1)
    except (LookupError, TypeError):
        return False


def _takes(module: Classifier, state: dict[Any, Any]) -> bool:
    """Whether ``module`` takes these weights, also as older versions named them; if so, it has them afterwards."""
    if not all(isinstance(name, str) and isinstance(value, torch.Tensor) for name, value in state.items()):
        return False
    try:
        module.load_state_dict(state)
    except RuntimeError:  # of other names or shapes
        return False
    return _types(state) == _types(module.state_dict())  # others would be converted without a word


def _types(state: dict[Any, Any]) -> Counter[torch.dtype]:
    return Counter(value.dtype for value in state.values())
