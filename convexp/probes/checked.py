"""Checks of the images and labels that a user hands to the probes, and of what the network makes of them."""

from typing import Any

import torch
from torch import Tensor, nn

from convexp.errors import ConfigError, one_line
from convexp.models.forward_pass import evaluating
from convexp.probes.sample import Sample


def checked_images(images: Any) -> Tensor:
    """Return images as a tensor ``(N, C, H, W)`` or ``(N, C, L)``, uint8 or float.

    Raises:
        ConfigError: If they are none, or not finite.
    """
    tensor = _tensor("images", images)
    shape = tuple(tensor.shape)
    if tensor.dim() not in (3, 4) or not tensor.numel():
        raise ConfigError(f"images: have the shape {shape}; should be (N, C, H, W), or (N, C, L) for signals")
    if tensor.dtype != torch.uint8 and not tensor.is_floating_point():
        raise ConfigError(f"images: are of {tensor.dtype}; should be uint8 or float, as the module takes them")
    if tensor.is_floating_point() and not bool(tensor.isfinite().all()):
        raise ConfigError("images: hold numbers that are not finite")
    return tensor.clone() if tensor.is_inference() else tensor.detach()  # some probes take derivatives by the pixels


def checked_labels(labels: Any, images: int) -> Tensor:
    """Return labels as ``(N,)`` int64.

    Raises:
        ConfigError: If they are no whole numbers from 0 on, one for each image.
    """
    tensor = _tensor("labels", labels)
    if tuple(tensor.shape) != (images,):
        raise ConfigError(f"labels: have the shape {tuple(tensor.shape)}; should be ({images},), one for each image")
    if tensor.is_floating_point() or tensor.is_complex() or tensor.dtype == torch.bool:
        raise ConfigError(f"labels: are of {tensor.dtype}; should be whole numbers")
    if int(tensor.min()) < 0:
        raise ConfigError(f"labels: {int(tensor.min())} is among them; should be 0 or more")
    return tensor.detach().long()


def count_outputs(network: nn.Module, image: Tensor, name: str, hint: str = "") -> int:
    """Return how many outputs a network has for an image, ``(1, C, H, W)``.

    Args:
        network: The network.
        image: The image, on the network's device.
        name: What messages call the network.
        hint: What the message adds if the network fails.

    Raises:
        ConfigError: If the network fails, or returns no logits.
    """
    shape = tuple(image.shape)
    try:
        with torch.no_grad(), torch.random.fork_rng([image.device] if image.is_cuda else []), evaluating(network):
            output: Any = network.forward(image)
    except Exception as error:
        raise ConfigError(f"{name}: fails on an image of shape {shape}, {image.dtype} ({one_line(error)}){hint}") from error
    if not isinstance(output, Tensor) or output.dim() != 2 or len(output) != 1:
        found = f"the shape {tuple(output.shape)}" if isinstance(output, Tensor) else f"the type {type(output).__name__}"
        raise ConfigError(f"{name}: its output for an image of shape {shape} has {found}; should be (1, classes)")
    if bool(output.isnan().any()):
        raise ConfigError(f"{name}: its output for an image of shape {shape} has NaN; should be logits")
    return output.shape[1]


def check_answers(network: nn.Module, sample: Sample, name: str) -> None:
    """Check that a network answers with logits, of which each label of the sample names one.

    Raises:
        ConfigError: If the network fails, or returns something else.
    """
    outputs, largest = count_outputs(network, sample.images[:1], name), int(sample.labels.max())
    if largest >= outputs:
        raise ConfigError(f"labels: {largest} is among them, but {name} has {outputs} outputs, 0 to {outputs - 1}")


def _tensor(name: str, value: Any) -> Tensor:
    try:
        return torch.as_tensor(value)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ConfigError(
            f"{name}: are of type {type(value).__name__}; should be a tensor or an array ({one_line(error)})"
        ) from None
