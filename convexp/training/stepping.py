"""Steps of an optimizer without Lightning's loop: which trainings can be done so, and what a step consists of."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Literal

from pytorch_lightning import LightningModule
from pytorch_lightning.callbacks import Callback, EarlyStopping, ModelSummary, RichModelSummary
from torch import nn

from convexp.config.schema.training import Trainer

BATCH_HOOKS = (
    "on_train_batch_start",
    "on_train_batch_end",
    "on_before_zero_grad",
    "on_before_backward",
    "on_after_backward",
    "on_before_optimizer_step",
)
HOOKS_OF_MODULE = (
    *BATCH_HOOKS,
    "training_step",
    "backward",
    "optimizer_step",
    "optimizer_zero_grad",
    "configure_optimizers",
    "configure_callbacks",
    "configure_gradient_clipping",
    "lr_scheduler_step",
    "on_before_batch_transfer",
    "transfer_batch_to_device",
    "on_after_batch_transfer",
    "on_validation_epoch_end",
)
# Lightning's callbacks that neither act nor look between two batches, and change neither network, optimizer nor schedule.
BETWEEN_EPOCHS = (EarlyStopping, ModelSummary, RichModelSummary)
FACTORIES = "pytorch_lightning.callbacks_factory"  # entry points by which an installed package adds callbacks to every Trainer
# If they are a user's own, they may log something of each batch.
PARTS_OF_A_STEP = ("loss", "measure_training", "count", "weight", "forward")


@dataclass(frozen=True)
class Clipping:
    """How gradients are clipped before a step, as Lightning's Trainer does it.

    Attributes:
        value: Largest norm of the gradient of all parameters, or largest absolute value of each number; None: no clipping.
        algorithm: Whether ``value`` limits the norm or each number.
    """

    value: float | None = None
    algorithm: Literal["norm", "value"] = "norm"

    def __call__(self, parameters: Iterable[nn.Parameter]) -> None:
        """Clip the gradients of ``parameters`` in place."""
        if self.value is None:
            return
        if self.algorithm == "norm":
            nn.utils.clip_grad_norm_(parameters, self.value)
        else:
            nn.utils.clip_grad_value_(parameters, self.value)


def needs_lightning(settings: Trainer, module: LightningModule, base: type, callbacks: Sequence[Callback]) -> str | None:
    """Say why each batch has to go through Lightning's own loop; None if ``module`` may make the steps itself.

    What is not known to be possible without Lightning's loop goes through it. A callback may freeze parameters, mask weights or
    replace the schedule in any of its hooks, so it is not enough that it has none of batches.

    Args:
        settings: The settings of the Trainer.
        module: The module that is trained.
        base: The class whose steps are known, which ``module`` may be an instance of.
        callbacks: The callbacks that the Trainer is given.
    """
    if not isinstance(module, base):
        return "the task is a LightningModule of its own"
    if hook := overridden(module, base, HOOKS_OF_MODULE) or overridden(module, _of_convexp(module), PARTS_OF_A_STEP):
        return f"the task has a {hook}"
    for callback in callbacks:
        if not _is_known(callback):
            return f"the callback {type(callback).__name__} may do something within steps"
    for factory in entry_points(group=FACTORIES):
        return f"an installed package adds callbacks (entry point {factory.name}), which may do something within steps"
    reasons = {
        "several processes train together": settings.processes > 1,
        f"trainer.precision={settings.precision}": settings.precision not in ("32-true", "bf16-mixed"),
        "trainer.accumulate_grad_batches is more than 1": settings.accumulate_grad_batches > 1,
        "trainer.overfit_batches sets the order of the batches": bool(settings.overfit_batches),
        "trainer.profiler measures each part of a step": settings.profiler is not None,
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


def _is_known(callback: Callback) -> bool:
    """Whether a callback is as convexp or Lightning has written it, and leaves steps alone. A subclass of it may do more."""
    kind = type(callback)
    known = kind.__module__.startswith("convexp.") or kind in BETWEEN_EPOCHS
    return known and overridden(callback, kind, BATCH_HOOKS) is None


def _of_convexp(module: LightningModule) -> type:
    """The first class of convexp that ``module`` is an instance of."""
    return next(each for each in type(module).mro() if each.__module__.startswith("convexp."))


def overridden(instance: object, base: type, names: Sequence[str]) -> str | None:
    """The first of the methods ``names`` that ``instance`` or its class does not have from ``base``; None if it has all."""
    kind, own = type(instance), vars(instance)
    return next((name for name in names if name in own or getattr(kind, name) is not getattr(base, name)), None)
