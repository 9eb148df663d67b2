"""A multi-layer perceptron does not know what is next to what."""

import pytest
import pytorch_lightning as pl
import torch
from nets import make

from convexp.data import Images, loader, training_loader
from convexp.execution.torch_setup import silence_lightning
from convexp.geometry.placement import OneOf
from convexp.layers import Conv2d, Dense2d
from convexp.training.tasks.classification import Classification

pytestmark = pytest.mark.integration


def trained(wiring, pixels, permute_weights: bool):
    """Losses by epoch and the network, trained on images whose pixels are permuted."""
    torch.manual_seed(5)
    images = torch.randint(0, 256, (96, 1, 8, 8), dtype=torch.uint8)
    labels = (images[:, 0, :4].float().mean((1, 2)) > images[:, 0, 4:].float().mean((1, 2))).long()
    seen = Images(images.flatten(2)[:, :, pixels].unflatten(2, (8, 8)), labels)
    network = make(wiring, seed=2, classes=2, hidden=(7,)).train()
    if permute_weights:
        weight = network.stages[0].wiring.weight
        with torch.no_grad():
            weight.copy_(weight[:, pixels])
    losses = []

    class Watch(pl.Callback):
        def on_validation_epoch_end(self, trainer, pl_module):
            losses.append(float(trainer.callback_metrics["val/loss"]))

    silence_lightning()
    module = Classification(network, lambda parameters: torch.optim.Adam(parameters, lr=0.003), None)
    trainer = pl.Trainer(
        accelerator="cpu",
        max_epochs=3,
        precision="64-true",
        logger=False,
        callbacks=[Watch()],
        num_sanity_val_steps=0,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(module, training_loader(seen, 16, OneOf(((0, 0),)), seed=0), loader(seen, 96))
    return losses, network


def test_permuting_the_pixels_leaves_a_dense_run_unchanged():
    order, pixels = torch.arange(64), torch.randperm(64, generator=torch.Generator().manual_seed(1))
    losses, network = trained(Dense2d, order, permute_weights=False)
    again, permuted = trained(Dense2d, pixels, permute_weights=True)
    assert losses[-1] < losses[0] - 0.01
    assert again == pytest.approx(losses, rel=1e-9)
    first, second = network.stages[0].wiring.weight, permuted.stages[0].wiring.weight
    torch.testing.assert_close(second, first[:, pixels], rtol=1e-6, atol=1e-9)
    other, _ = trained(Dense2d, pixels, permute_weights=False)
    assert abs(other[-1] - losses[-1]) > 1e-6


def test_a_convolution_does_know():
    order, pixels = torch.arange(64), torch.randperm(64, generator=torch.Generator().manual_seed(1))
    assert abs(trained(Conv2d, order, False)[0][-1] - trained(Conv2d, pixels, False)[0][-1]) > 1e-4
