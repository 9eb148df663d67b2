"""The LightningModule: cross entropy on batches of (images, labels), and what is logged of it."""

import inspect
from collections.abc import Callable
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from convexp.data.batches import Batch
from convexp.errors import DivergedError
from convexp.models import Network
from convexp.training.mean import MeanOverSamples

MakeOptimizer = Callable[..., Optimizer]
MakeScheduler = Callable[..., LRScheduler]

CHECK_EVERY = 50  # batches between looks for a NaN: each costs a GPU a synchronisation


class Classifier(pl.LightningModule):
    """Trains a network to classify images.

    Logs once per epoch ``train/loss``, ``train/acc`` (running, over the epoch's batches as they were seen), ``train/lr``,
    ``val/loss``, ``val/acc``; ``test/loss`` and ``test/acc`` when tested. Losses are cross entropies in nats. Every metric is
    the mean over the samples, however they are cut into batches.
    """

    def __init__(
        self, network: Network, make_optimizer: MakeOptimizer | None = None, make_scheduler: MakeScheduler | None = None
    ) -> None:
        super().__init__()
        self.network = network
        self.make_optimizer = make_optimizer
        self.make_scheduler = make_scheduler
        self.accuracy = MeanOverSamples()
        self.loss = MeanOverSamples()
        self._steps: list[tuple[Tensor, Tensor, int]] = []  # loss, number correct, number seen, of the epoch's batches

    def __setattr__(self, name: str, value: Any) -> None:
        # Lightning sets this one twice around each of its hooks, 40 times a step; a module's way to do that costs microseconds.
        if name == "_current_fx_name":
            self.__dict__[name] = value
        else:
            super().__setattr__(name, value)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Forget the states of callbacks that this run does not have: a checkpoint may come from anybody."""
        own = {callback.state_key for callback in self.trainer.callbacks}  # pyright: ignore[reportAttributeAccessIssue]
        checkpoint["callbacks"] = {key: state for key, state in checkpoint["callbacks"].items() if key in own}

    def configure_optimizers(self) -> Any:
        """The optimizer, and the schedule that steps after every batch."""
        assert self.make_optimizer is not None
        optimizer = self.make_optimizer(self.network.parameters())
        if self.make_scheduler is None:
            return optimizer
        scheduler = self.make_scheduler(optimizer, total_steps=int(self.trainer.estimated_stepping_batches))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}

    def transfer_batch_to_device(self, batch: Any, device: torch.device, dataloader_idx: int) -> Any:
        """The batch; where it was made on the device already, without looking for tensors in it."""
        return batch if batch[0].device == device else super().transfer_batch_to_device(batch, device, dataloader_idx)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Loss of one batch of images ``(B, C, H, W)`` and labels ``(B,)``."""
        images, labels = batch
        logits = self.network(images)
        loss = F.cross_entropy(logits, labels)
        with torch.no_grad():  # kept as they are until the epoch ends: every operation here costs, and a look at them more
            self._steps.append((loss.detach(), (logits.argmax(1) == labels).sum(), len(labels)))
        if batch_idx % CHECK_EVERY == 0:
            self._check_finite(batch_idx)
        return loss

    def _check_finite(self, batch: int) -> None:
        """One look at all the losses since the last one."""
        if not bool(torch.stack([loss for loss, *_ in self._steps[-CHECK_EVERY:]]).isfinite().all()):
            rate = self.trainer.optimizers[0].param_groups[0]["lr"]
            raise DivergedError(
                f"training stopped: the loss is no finite number at epoch {self.current_epoch + 1}, batch {batch} "
                f"(learning rate {rate:.3g}); try a smaller optimizer.lr or a trainer.gradient_clip_val"
            )

    def on_train_epoch_start(self) -> None:
        """Forget the last epoch's batches."""
        self._steps = []

    def on_train_epoch_end(self) -> None:
        """Log the epoch's means."""
        self._check_finite(int(self.trainer.num_training_batches))
        losses, correct = (torch.stack(values).cpu().double() for values in list(zip(*self._steps, strict=True))[:2])
        seen = torch.tensor([n for *_, n in self._steps], dtype=torch.float64)
        loss, accuracy = float(losses @ seen / seen.sum()), float(correct.sum() / seen.sum())
        rate = self.trainer.optimizers[0].param_groups[0]["lr"]
        self.log_dict({"train/loss": loss, "train/acc": accuracy, "train/lr": rate})

    def _evaluate(self, batch: Batch, part: str) -> None:
        images, labels = batch
        logits = self.network(images)
        self.accuracy.update(logits.argmax(1) == labels)
        self.loss.update(F.cross_entropy(logits.float(), labels, reduction="none"))
        self.log(f"{part}/loss", self.loss, prog_bar=True)
        self.log(f"{part}/acc", self.accuracy, prog_bar=True)

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Count one validation batch."""
        self._evaluate(batch, "val")

    def test_step(self, batch: Batch, batch_idx: int) -> None:
        """Count one test batch."""
        self._evaluate(batch, "test")

    def predict_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Logits ``(B, classes)`` of one batch."""
        return self.network(batch[0])


# Lightning asks for it before every step, and to find it out costs as much as a small layer.
Classifier.training_step.__signature__ = inspect.signature(Classifier.training_step)  # pyright: ignore[reportFunctionMemberAccess]
