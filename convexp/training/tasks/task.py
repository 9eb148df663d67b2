"""The base of convexp's tasks: a LightningModule that trains one network and logs means over samples."""

import inspect
import math
from abc import abstractmethod
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, ClassVar, Literal

import pytorch_lightning as pl
import torch
from pytorch_lightning.trainer.states import TrainerFn
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from convexp.data import Images
from convexp.data.chunks import MOST_BATCHES, Chunk
from convexp.errors import DivergedError
from convexp.machine import interruption
from convexp.training.batch_counts import count_batches, restore_step_count
from convexp.training.captured_passes import CapturedPasses
from convexp.training.epoch_metrics import log_metrics
from convexp.training.mean import MeanOverSamples
from convexp.training.over_processes import Step, of_whole_batch, processes
from convexp.training.step import Steps, gradients
from convexp.training.stepping import Clipping
from convexp.training.tasks.epoch_state import KEY, pack, unpack

MakeOptimizer = Callable[..., Optimizer]
MakeScheduler = Callable[..., LRScheduler]
TaskBatch = tuple[Tensor, Tensor]  # images (B, C, H, W), and labels (B,) or boxes (B, 2, D)

CHECK_EVERY = 50  # batches between two checks for NaN, each of which synchronises a GPU


class Task(pl.LightningModule):
    """Trains a network with a loss, and logs metrics that are means over samples.

    A subclass defines ``loss`` and ``measure``, and names its metrics. Once per epoch ``train/loss``, ``train/lr`` and what
    ``measure_training`` returns are logged (of each batch before the step on it). A validation logs ``val/NAME`` and a test
    ``test/NAME`` for each metric, the mean over all samples, however they are cut into batches.

    Args:
        network: Network from images ``(B, C, H, W)``, 0 to 255, to outputs ``(B, K)``.
        make_optimizer: Makes the optimizer from the network's parameters; None for a module that is only evaluated.
        make_scheduler: Makes the learning-rate schedule from the optimizer and ``total_steps``; None for a constant rate.

    Attributes:
        metrics: Names of the metrics that ``measure`` returns.
        targets: What a batch has beside its images: ``labels``, ``(B,)`` int64, or ``objects``, the bounding boxes of objects
            as the network sees them, ``(B, 2, D)`` int64: the first pixel and the pixel after the last one, or -1 without one.
        automatic_optimization: Whether Lightning makes the steps of the optimizer, as it does by default. If False,
            ``train_on`` makes them and ``log_metrics`` logs the means of a training, which takes less time;
            ``convexp.training.stepping`` says when that is possible.
        clipping: How ``train_on`` clips gradients.
        cuda_graph: Whether ``train_on`` captures the forward and the backward pass as a CUDA graph, if it trains on a GPU.
        trainer_of_steps: What makes the steps in place of ``train_on``, with the same arguments after the task and the same
            result: it trains several networks at once. None: each network is trained alone.
    """

    metrics: ClassVar[tuple[str, ...]] = ("loss",)
    targets: ClassVar[Literal["labels", "objects"]] = "labels"

    def __init__(
        self, network: nn.Module, make_optimizer: MakeOptimizer | None = None, make_scheduler: MakeScheduler | None = None
    ) -> None:
        super().__init__()
        self.network = network
        self.make_optimizer = make_optimizer
        self.make_scheduler = make_scheduler
        self.means = nn.ModuleDict({name: MeanOverSamples() for name in self.metrics})
        self.clipping = Clipping()
        self.cuda_graph = False
        self._captured: CapturedPasses | None = None
        self.trainer_of_steps: Callable[[Task, Sequence[TaskBatch]], list[Step]] | None = None
        self._steps: list[Step] = []  # of the epoch
        self._measured: dict[str, MeanOverSamples] = {}  # in the validation, if it is logged at its end
        self._restored: dict[str, Any] | None = None  # of an unfinished epoch in the checkpoint that was loaded

    @abstractmethod
    def loss(self, outputs: Tensor, batch: TaskBatch) -> Tensor:
        """Return the loss of a training batch, a scalar, from the network's outputs ``(B, K)``."""

    @abstractmethod
    def measure(self, outputs: Tensor, batch: TaskBatch) -> dict[str, Tensor]:
        """Return the metrics of an evaluation batch by name, for each sample that counts, ``(B,)`` or fewer."""

    def measure_training(self, outputs: Tensor, batch: TaskBatch) -> dict[str, Tensor]:
        """Return further metrics of a training batch by name, each summed over its samples: a scalar."""
        return {}

    def recompute(self, outputs: Tensor, images: Images) -> dict[str, Tensor]:
        """Compute metrics a second time, for ``convexp-eval``, in other code than ``measure``; by default none.

        Args:
            outputs: The network's outputs for all images in order, ``(N, K)`` float64.
            images: The images; ``images.first(N)`` gives pixels and targets.

        Returns:
            Metrics by name, for each sample that counts.
        """
        return {}

    def count(self, batch: TaskBatch) -> int | Tensor:
        """Return how many samples of a training batch its loss is the mean of."""
        return len(batch[1])

    def weight(self, batch: TaskBatch) -> int | Tensor:
        """Return what the loss of a training batch is divided by, if it is a weighted mean: the sum of the weights."""
        return self.count(batch)

    def __setattr__(self, name: str, value: Any) -> None:
        # Lightning sets this attribute twice around each of its hooks, 40 times a step; nn.Module takes microseconds for it.
        if name == "_current_fx_name":
            self.__dict__[name] = value
        else:
            super().__setattr__(name, value)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Drop the states of callbacks that this run does not have, as a checkpoint may come from anybody."""
        own = {callback.state_key for callback in self.trainer.callbacks}  # pyright: ignore[reportAttributeAccessIssue]
        checkpoint["callbacks"] = {key: state for key, state in checkpoint["callbacks"].items() if key in own}

        self._restored = checkpoint.pop(KEY, None)
        restore_step_count(checkpoint["loops"]["fit_loop"], checkpoint["global_step"], self.automatic_optimization)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Save what the batches of an unfinished epoch have given."""
        if self._steps:
            checkpoint[KEY] = pack(self._steps)

    def on_train_start(self) -> None:
        """Go on with the batches of the unfinished epoch that the training is resumed in."""
        self._steps = unpack(self._restored, self.device) if self._restored else []
        self._restored = None
        if self.cuda_graph and self.device.type == "cuda":
            self._captured = CapturedPasses(self, self.forward_and_backward)

    def on_train_end(self) -> None:
        """Free the memory of what was captured."""
        self._captured = None

    def configure_optimizers(self) -> Any:
        """Return the optimizer, and the schedule, which steps after every batch."""
        assert self.make_optimizer is not None
        optimizer = self.make_optimizer(self.network.parameters())
        if self.make_scheduler is None:
            return optimizer
        scheduler = self.make_scheduler(optimizer, total_steps=int(self.trainer.estimated_stepping_batches))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}

    def transfer_batch_to_device(self, batch: Any, device: torch.device, dataloader_idx: int) -> Any:
        """Move a batch to the device. One that is there already is returned at once, as searching it for tensors takes time."""
        if isinstance(batch, Chunk):
            batch.batches = [self.transfer_batch_to_device(each, device, dataloader_idx) for each in batch.batches]
            return batch
        return batch if batch[0].device == device else super().transfer_batch_to_device(batch, device, dataloader_idx)

    def training_step(self, batch: TaskBatch | Chunk, batch_idx: int) -> Tensor | None:
        """Return the loss of a batch, of a share of a batch its part in the loss of the whole one; or train on the batches."""
        if not isinstance(batch, Chunk):
            batch = Chunk([batch])
        if self.automatic_optimization:
            return self._loss_for_lightning(batch.batches[0], batch_idx)
        with torch.autocast(self.device.type, enabled=False):  # on around this method; only the forward pass is to be in it
            steps = self.train_on(batch.batches)
        batch.done = len(steps)
        self._steps += steps
        count_batches(self.trainer, len(steps))
        if -batch_idx % CHECK_EVERY < len(steps):
            self._check_finite()
        return None

    def train_on(self, batches: Sequence[TaskBatch]) -> list[Step]:
        """Train on each batch in turn: forward, loss, backward, clipping, a step of the optimizer, a step of the schedule.

        Args:
            batches: One batch or more, on the device of the network.

        Returns:
            What each batch has given before the step on it. The list is shorter than ``batches``, but not empty, if the process
            was asked to stop: the batches beyond it were not trained on.
        """
        if self.trainer_of_steps is not None:
            return self.trainer_of_steps(self, batches)
        configs = self.trainer.lr_scheduler_configs
        assert all(config.interval == "step" for config in configs), "a callback has replaced the schedule"
        optimizer, schedules = self.trainer.optimizers[0], [config.scheduler for config in configs]
        passes = self._captured or self.forward_and_backward
        step, found = Steps(optimizer, self.clipping, schedules), list[Step]()
        for batch in batches:
            if found and interruption.requested():
                break
            found.append(step(partial(passes, batch)))
        return found

    def forward_and_backward(self, batch: TaskBatch) -> Step:
        """Leave the gradients of the loss of a batch in the parameters, in place of those before; return what it has given."""
        context = self.trainer.precision_plugin.forward_context()
        return gradients(partial(self.loss_and_step, batch), self.trainer.optimizers[0], context)

    def loss_and_step(self, batch: TaskBatch) -> tuple[Tensor, Step]:
        """Return the loss of a batch, and what is kept of it until the epoch ends: tensors, as reading them waits for a GPU."""
        outputs = self.network(batch[0])
        loss = self.loss(outputs, batch)
        with torch.no_grad():
            return loss, (loss.detach(), self.measure_training(outputs, batch), self.count(batch))

    def _loss_for_lightning(self, batch: TaskBatch, batch_idx: int) -> Tensor:
        loss, step = self.loss_and_step(batch)
        if processes() > 1:
            with torch.no_grad():
                step, part = of_whole_batch(step, self.weight(batch))
            loss = loss * part
        self._steps.append(step)
        if batch_idx % CHECK_EVERY == 0:
            self._check_finite()
        return loss

    def _check_finite(self) -> None:
        """Raise a DivergedError if a loss since the last check is NaN or infinite."""
        losses = [loss for loss, *_ in self._steps[-CHECK_EVERY - MOST_BATCHES :]]
        check_finite(losses, self.trainer, len(self._steps))

    def on_train_epoch_start(self) -> None:
        """Forget the batches of the last epoch."""
        self._steps = []

    def on_train_epoch_end(self) -> None:
        """Log the means over the samples of the epoch."""
        losses, sums, sizes = zip(*self._steps, strict=True)
        seen = torch.tensor([float(size) for size in sizes], dtype=torch.float64)
        means = {"loss": float(torch.stack(losses).cpu().double() @ seen / seen.sum())}
        if not math.isfinite(means["loss"]):
            self._check_finite()
        for name in sums[0]:
            means[name] = float(torch.stack([each[name] for each in sums]).cpu().double().sum() / seen.sum())
        rate = self.trainer.optimizers[0].param_groups[0]["lr"]
        metrics = {f"train/{name}": value for name, value in means.items()} | {"train/lr": rate}
        if self.automatic_optimization:
            self.log_dict(metrics)
        else:
            log_metrics(self.trainer, metrics, save=False)
        self._steps = []  # the checkpoint of the epoch does not need them

    def on_validation_epoch_end(self) -> None:
        """Log the means over the samples of the validation, unless Lightning does so."""
        if not self._measured:
            return
        metrics = {f"val/{name}": mean.compute() for name, mean in self._measured.items()}
        for mean in self._measured.values():
            mean.reset()
        self._measured = {}
        is_last = self.trainer.fit_loop.epoch_loop.batch_progress.is_last_batch  # the metrics of the epoch follow
        log_metrics(self.trainer, metrics, prog_bar=True, save=not is_last)

    def _evaluate(self, batch: TaskBatch, part: str) -> Tensor:
        outputs = self.network(batch[0])
        in_training = not self.automatic_optimization and self.trainer.state.fn == TrainerFn.FITTING
        for name, values in self.measure(outputs, batch).items():
            mean = self.means[name]
            assert isinstance(mean, MeanOverSamples)
            mean.update(values)
            if in_training:
                self._measured[name] = mean
            else:
                self.log(f"{part}/{name}", mean, prog_bar=True)
        return outputs

    def validation_step(self, batch: TaskBatch, batch_idx: int) -> None:
        """Add a batch to the validation metrics."""
        if len(batch[0]):  # one of several processes may have no share of the last batch
            self._evaluate(batch, "val")

    def test_step(self, batch: TaskBatch, batch_idx: int) -> None:
        """Add a batch to the test metrics."""
        self._evaluate(batch, "test")

    def predict_step(self, batch: TaskBatch, batch_idx: int) -> Tensor:
        """Return the outputs ``(B, K)`` of a batch."""
        return self.network(batch[0])


# Lightning inspects the signature before every step, which takes as long as a small layer unless it is stored.
Task.training_step.__signature__ = inspect.signature(Task.training_step)  # pyright: ignore[reportFunctionMemberAccess]


def check_finite(losses: list[Tensor], trainer: pl.Trainer, batches: int) -> None:
    """Check the losses of training steps.

    Args:
        losses: The losses, scalars.
        trainer: Lightning's trainer, which knows epoch and learning rate.
        batches: Number of batches of this epoch that have been trained on, with the last of which ``losses`` end.

    Raises:
        DivergedError: naming the first batch, if the loss of one is NaN or infinite.
    """
    finite = torch.stack(losses).isfinite().tolist()
    if not all(finite):
        batch = batches - len(losses) + finite.index(False) + 1
        rate = trainer.optimizers[0].param_groups[0]["lr"]
        raise DivergedError(
            f"training stopped: the loss is not finite at epoch {trainer.current_epoch + 1}, batch {batch} "
            f"(learning rate {rate:.3g}); try a smaller optimizer.lr or a trainer.gradient_clip_val"
        )
