"""Measure any trained module from Python: ``convexp.probes.measure``."""

import copy
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from convexp.config.checks.probes import check_made_probe
from convexp.config.instantiate import TARGET, instantiate
from convexp.config.probe_choice import choose_probes
from convexp.errors import ConfigError, one_line
from convexp.models import ImageNetwork
from convexp.models.forward_pass import device_of
from convexp.models.representations import layout
from convexp.probes.base import Probe
from convexp.probes.checked import check_answers, checked_images, checked_labels
from convexp.probes.results import Measurements, ProbeResult, measure_one
from convexp.probes.sample import BATCH_SIZE, Sample

Choice = str | Probe | Sequence[str | Probe] | Mapping[str, Mapping[str, Any] | Probe | None]


@torch.inference_mode(False)  # some probes need gradients, wherever they are called
def measure(
    module: Any,
    images: Any,
    labels: Any,
    probes: Choice = "default",
    *,
    layers: Sequence[str] | None = None,
    background: float | Sequence[float] = 0,
    objects: Any = None,
    device: str | torch.device | None = None,
    batch_size: int = BATCH_SIZE,
    class_names: Sequence[str] | None = None,
) -> Measurements:
    """Measure a trained module, such as a network of torchvision or your own, with any of the probes (docs/probes.md).

    Example::

        from convexp.probes import measure

        found = measure(network, images, labels, ["shift_map", "equivariance"])
        print(found)                                   # every number with its unit and meaning
        found.numbers["shift_map/worst"]
        found.save("probes")                           # JSON and PNG

    A probe that fails is left out, with a warning, and named in ``found.failed``; if all fail, the first error is raised.

    The mode and the weights of the module, the images and torch's random state are left as they are.

    Args:
        module: Maps images ``(B, C, H, W)``, or signals ``(B, C, L)``, to logits ``(B, classes)``.
        images: The images as the module takes them, ``(N, C, H, W)`` or ``(N, C, L)``, uint8 or float; a tensor or an array.
        labels: The class of each image, ``(N,)``, whole numbers from 0.
        probes: ``all``, ``default``, the name of a probe, a probe, or a list of these; or other settings by name, as in
            ``{"shift_map": {"max_shift": 2}, "kernels": None}``.
        layers: Names of the modules, as in ``module.named_modules()``, that probes of layers look at; None for the children.
        background: Value of the images, for all channels or for each, that the protocol ``zero_fill`` fills in. Black is not 0
            in images that are normalised already, but ``(0 - mean) / std``.
        objects: Bounding box of the object in each image for the probe ``localisation``, ``(N, 2, 2)``: its first pixel and the
            one after its last, row and column; -1 for an image without an object.
        device: Where to measure, as torch names it; None for where the module is. Elsewhere a copy of it is measured.
        batch_size: Number of images in one forward pass.
        class_names: Name of each class, from class 0 on, for tables and pictures; None for the numbers.

    Raises:
        ConfigError: If an argument is wrong, with the argument, its value and what would be right.
    """
    if not isinstance(module, nn.Module):
        raise ConfigError(f"module: is a {type(module).__name__}; should be a torch.nn.Module")
    tensors = checked_images(images)
    sample = Sample(
        tensors,
        checked_labels(labels, len(tensors)),
        objects=None if objects is None else _checked_objects(objects, tensors),
        background=_background(background, tensors),
        batch_size=_checked_batch_size(batch_size),
        class_names=None if class_names is None else tuple(map(str, class_names)),
    )
    chosen = make_probes(probes, sample.size)
    network, there = _on_device(_unwrapped(module), device)
    sample = sample.to(there)
    observed = _observing(network, layers)
    check_answers(observed, sample, f"module ({type(module).__name__})")
    _check_called(observed, layers, sample)
    return _measure_each(chosen, observed, sample)


def _measure_each(probes: Mapping[str, Probe], network: nn.Module, sample: Sample) -> Measurements:
    """Measure a network with several probes, of which those that fail keep no other from being measured."""
    results: dict[str, ProbeResult] = {}
    errors: dict[str, Exception] = {}
    for name, probe in probes.items():
        try:
            results[name] = measure_one(name, probe, network, sample)
        except Exception as error:
            errors[name] = error
    if errors and not results:
        raise next(iter(errors.values()))
    failed = {name: f"{type(error).__name__}: {one_line(error)}" for name, error in errors.items()}
    for name, reason in failed.items():
        warnings.warn(f"probes.{name}: failed, and is left out: {reason}", stacklevel=4)
    return Measurements(results, failed)


def make_probes(choice: Choice, size: tuple[int, ...]) -> dict[str, Probe]:
    """Make probes from their names and settings, or take them as they are, by name.

    Raises:
        ConfigError: If there is no such probe, or a setting of it is wrong or does not fit images of this size.
    """
    if isinstance(choice, str | Probe):
        choice = [choice]
    entries: list[tuple[Any, Any]] = list(choice.items()) if isinstance(choice, Mapping) else [(each, None) for each in choice]
    found: dict[str, Probe] = {}
    for key, value in entries:
        if isinstance(key, str) and (value is None or isinstance(value, Mapping)):
            found |= _by_name(key, dict(value or {}), size)
        elif isinstance(key, str) and isinstance(value, Probe):
            found[key] = _fitting(key, value, size)
        elif isinstance(key, Probe):
            name = _snake_case(type(key).__name__)
            if name in found:
                raise ConfigError(f"probes: two are called {name}; should have names of their own, as {{name: probe}}")
            found[name] = _fitting(name, key, size)
        else:
            raise ConfigError(f"probes: {value if value is not None else key!r} is no probe; should have a method measure")
    return found


def _by_name(name: str, settings: dict[str, Any], size: tuple[int, ...]) -> dict[str, Probe]:
    found: dict[str, Probe] = {}
    for each, target in choose_probes([name], {name: settings}, size).items():
        try:
            found[each] = instantiate(target.spec())
        except (TypeError, ValueError, ImportError, AttributeError) as error:
            raise ConfigError(f"probes.{each} ({target.spec()[TARGET]}): {one_line(error)}") from None
    return found


def _fitting(name: str, probe: Probe, size: tuple[int, ...]) -> Probe:
    check_made_probe(f"probes.{name}", probe, size)
    return probe


def _snake_case(name: str) -> str:
    """``ShiftMap`` as ``shift_map``, the name that its numbers have elsewhere, too."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")


def _background(value: float | Sequence[float], images: Tensor) -> Tensor | None:
    """The background as ``(1, C, 1, ...)``; None for 0, which shifts fill in anyway."""
    given: Any = torch.as_tensor(value)
    if given.numel() not in (1, images.shape[1]):
        raise ConfigError(f"background={value}: should be one number, or one for each of the {images.shape[1]} channels")
    if images.is_floating_point():
        fits, wanted = bool(given.isfinite().all()), "finite"
    else:
        fits, wanted = torch.equal(given.to(images.dtype).double(), given.double()), f"of the images' type, {images.dtype}"
    if not fits:
        raise ConfigError(f"background={value}: should be {wanted}")
    shape = (1, -1, *(1,) * (images.dim() - 2))
    return given.to(images.dtype).reshape(shape).expand(1, images.shape[1], *shape[2:]) if bool(given.any()) else None


def _checked_objects(objects: Any, images: Tensor) -> Tensor:
    boxes = torch.as_tensor(objects)
    wanted = (len(images), 2, images.dim() - 2)
    if tuple(boxes.shape) != wanted or boxes.is_floating_point():
        raise ConfigError(f"objects: have the shape {tuple(boxes.shape)} of {boxes.dtype}; should be {wanted}, whole numbers")
    return boxes.long()


def _checked_batch_size(batch_size: Any) -> int:
    if not isinstance(batch_size, int) or isinstance(batch_size, bool) or batch_size < 1:
        raise ConfigError(f"batch_size={batch_size}: should be a whole number, 1 or more")
    return batch_size


def _unwrapped(module: nn.Module) -> nn.Module:
    """The module that ``torch.compile`` or ``nn.DataParallel`` has wrapped, whose layers have names."""
    wrapped = module.module if isinstance(module, nn.DataParallel) else getattr(module, "_orig_mod", None)
    return _unwrapped(wrapped) if isinstance(wrapped, nn.Module) else module


def _on_device(module: nn.Module, device: str | torch.device | None) -> tuple[nn.Module, torch.device]:
    """The module on ``device``, a copy if it lies elsewhere, and the device."""
    here = device_of(module)
    if device is None:
        return module, here
    try:
        there = torch.empty(0, device=device).device
        return (module, here) if there == here else (copy.deepcopy(module).to(there), there)
    except (RuntimeError, AssertionError) as error:
        raise ConfigError(f"device={device}: {one_line(error)}") from None


def _observing(module: nn.Module, layers: Sequence[str] | None) -> nn.Module:
    if layers is None:
        return module
    try:
        return ImageNetwork(nn.Identity(), module, [layers] if isinstance(layers, str) else layers)
    except ValueError as error:
        raise ConfigError(str(error)) from None


def _check_called(network: nn.Module, layers: Sequence[str] | None, sample: Sample) -> None:
    """Check that every layer that the user named is called in the forward pass."""
    others = {} if layers is None else layout(network, sample.images).others
    if missing := [layer for layer, reason in others.items() if reason.startswith("it is not called")]:
        raise ConfigError(f"layers={list(layers or ())}: {missing[0]} is not called in the forward pass, or returns no tensor")
