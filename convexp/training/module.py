"""The LightningModule: cross entropy on batches of images and labels, and the metrics that are logged."""

import inspect
from collections.abc import Callable
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from convexp.data.images import Batch
from convexp.errors import DivergedError
from convexp.training.mean import MeanOverSamples

MakeOptimizer = Callable[..., Optimizer]
MakeScheduler = Callable[..., LRScheduler]

CHECK_EVERY = 50  # batches between two checks for NaN, each of which synchronises a GPU


class Classifier(pl.LightningModule):
    """Trains a network to classify images.

    Once per epoch it logs ``train/loss`` and ``train/acc`` (of each batch before the step on it), ``train/lr``, ``val/loss``
    and ``val/acc``; a test logs ``test/loss`` and ``test/acc``. Losses are cross entropies in nats. Every metric is the mean
    over all samples, however they are cut into batches.

    Args:
        network: Network from images ``(B, C, H, W)``, 0 to 255, to logits ``(B, K)``.
        make_optimizer: Makes the optimizer from the network's parameters; None for a module that is only evaluated.
        make_scheduler: Makes the learning-rate schedule from the optimizer and ``total_steps``; None for a constant rate.
    """

    def __init__(
        self, network: nn.Module, make_optimizer: MakeOptimizer | None = None, make_scheduler: MakeScheduler | None = None
    ) -> None:
        super().__init__()
        self.network = network
        self.make_optimizer = make_optimizer
        self.make_scheduler = make_scheduler
        self.accuracy = MeanOverSamples()
        self.loss = MeanOverSamples()
        self._steps: list[tuple[Tensor, Tensor, int]] = []  # loss, correct predictions and size of each batch of the epoch

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
        return batch if batch[0].device == device else super().transfer_batch_to_device(batch, device, dataloader_idx)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return the loss of a batch of images ``(B, C, H, W)`` and labels ``(B,)``."""
        images, labels = batch
        logits = self.network(images)
        loss = F.cross_entropy(logits, labels)
        with torch.no_grad():  # tensors are kept until the epoch ends, as reading their values would synchronise a GPU
            self._steps.append((loss.detach(), (logits.argmax(1) == labels).sum(), len(labels)))
        if batch_idx % CHECK_EVERY == 0:
            self._check_finite(batch_idx)
        return loss

    def _check_finite(self, batch: int) -> None:
        """Raise a DivergedError if a loss since the last check is NaN or infinite."""
        if not bool(torch.stack([loss for loss, *_ in self._steps[-CHECK_EVERY:]]).isfinite().all()):
            rate = self.trainer.optimizers[0].param_groups[0]["lr"]
            raise DivergedError(
                f"training stopped: the loss is not finite at epoch {self.current_epoch + 1}, batch {batch} "
                f"(learning rate {rate:.3g}); try a smaller optimizer.lr or a trainer.gradient_clip_val"
            )

    def on_train_epoch_start(self) -> None:
        """Forget the batches of the last epoch."""
        self._steps = []

    def on_train_epoch_end(self) -> None:
        """Log the means over the samples of the epoch."""
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
        """Add a batch to the validation metrics."""
        self._evaluate(batch, "val")

    def test_step(self, batch: Batch, batch_idx: int) -> None:
        """Add a batch to the test metrics."""
        self._evaluate(batch, "test")

    def predict_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return the logits ``(B, K)`` of a batch."""
        return self.network(batch[0])


# Lightning inspects the signature before every step, which takes as long as a small layer unless it is stored.
Classifier.training_step.__signature__ = inspect.signature(Classifier.training_step)  # pyright: ignore[reportFunctionMemberAccess]
