"""A trial of a task that is not convexp's own: one batch each, before anything is written."""

import copy
import functools
from collections.abc import Mapping
from typing import Any

import torch
from pytorch_lightning import LightningModule
from pytorch_lightning.utilities.model_helpers import is_overridden

import convexp
from convexp.config import Config
from convexp.config.checks.monitors import check_logged
from convexp.data import Dataset, loader, training_loader
from convexp.data.augment import Augmenter
from convexp.errors import ConfigError, ConvexpError, one_line
from convexp.execution.evaluation import evaluation_trainer, with_targets_of
from convexp.machine.own_code import place_in_own_code

STEPS = ("training_step", "validation_step", "test_step")


def try_task(config: Config, module: LightningModule, data: Dataset, augmenter: Augmenter | None) -> None:
    """Train, validate and test a copy of the module on one batch each, and check that what is monitored is logged.

    Nothing of the run changes: neither the module nor torch's random state. Convexp's own tasks need no trial.

    Raises:
        ConfigError: naming the task and what went wrong, with the line of code if it was an exception.
    """
    _check_targets(config, module)
    data = with_targets_of(module, data)
    if type(module).__module__.startswith(f"{convexp.__name__}."):
        return
    name = config.task.target
    for step in STEPS:
        if not is_overridden(step, module, LightningModule):
            raise ConfigError(f"task ({name}): has no {step}; should define {', '.join(STEPS)} (docs/tasks.md)")
    with torch.random.fork_rng(range(min(1, torch.cuda.device_count()))):
        try:
            logged = _one_batch_each(config, copy.deepcopy(module), data, augmenter)
        except ConvexpError:
            raise
        except Exception as error:
            said, place = f"{type(error).__name__}: {one_line(error)}", place_in_own_code(error)
            raise ConfigError(f"task ({name}): fails on the first batch: {said}{place and f' ({place})'}") from None
    check_logged(config, logged)


def _check_targets(config: Config, module: LightningModule) -> None:
    """Check that nothing is augmented if the task looks for objects, whose boxes would be wrong then."""
    if config.augment and getattr(module, "targets", "labels") != "labels":
        raise ConfigError(
            f"augment=[{','.join(config.augment)}]: changes images and the labels of their classes, not the boxes of the "
            f"objects that the task ({config.task.target}) looks for; should be none"
        )


def _one_batch_each(config: Config, module: LightningModule, data: Dataset, augmenter: Augmenter | None) -> tuple[str, ...]:
    """Return the names of the metrics that are logged in training and validation."""
    step: Any = module.training_step

    @functools.wraps(step)
    def checked(*args: Any, **kwargs: Any) -> Any:
        output = step(*args, **kwargs)
        if module.automatic_optimization:
            _check_loss(config.task.target, output)
        return output

    module.training_step = checked
    evaluated = loader(data.val, config.data.eval_batch_size), loader(data.test, config.data.eval_batch_size)
    trainer = evaluation_trainer(config, fast_dev_run=True)
    train = training_loader(data.train, config.data.batch_size, data.shifts, config.seed, augmenter=augmenter)
    trainer.fit(module, train, evaluated[0])
    logged = tuple(sorted(trainer.callback_metrics, key=lambda name: not name.startswith("val/")))
    trainer.test(module, evaluated[1], verbose=False)
    return logged


def _check_loss(name: str, output: Any) -> None:
    """Check that a training step returned one number that depends on the weights."""
    loss: Any = output.get("loss") if isinstance(output, Mapping) else output  # pyright: ignore[reportUnknownMemberType]
    if not isinstance(loss, torch.Tensor):
        raise ConfigError(f"task ({name}): training_step returns a {type(loss).__name__}; should return the loss, a tensor")
    if loss.numel() != 1:
        raise ConfigError(f"task ({name}): the loss has shape {list(loss.shape)}; should be one number, such as the mean")
    if not loss.requires_grad:
        raise ConfigError(f"task ({name}): the loss does not depend on the network's weights, or is detached from them")
