"""convexp-probe: any network, rebuilt from its callable and a checkpoint, measured on a data set."""

from dataclasses import replace

import torch
from rich.markup import escape
from torch import nn

from convexp.config import Probing
from convexp.config.user_paths import parse_path
from convexp.errors import ConfigError
from convexp.execution import build
from convexp.execution.checkpoint_of_module import load_checkpoint
from convexp.execution.makers import make
from convexp.execution.reprobe import measure_into
from convexp.models import ImageNetwork
from convexp.models.parts import Normalize
from convexp.probes.checked import count_outputs
from convexp.terminal import console
from convexp.training.probe_runner import probe_sample


def probe_module(config: Probing) -> None:
    """Build the network, load its weights, and measure it on the test images; print the numbers, and write everything.

    Raises:
        ConfigError: If the network cannot be built, the checkpoint is not its own, or it does not fit the images.
    """
    device = _device(config.accelerator)
    network = _network(config).to(device)
    data, probes = build.dataset(config), build.probes(config)
    sample = replace(probe_sample(data, probes, device, scores=True), batch_size=config.batch_size)
    name, classes = f"network ({config.network.target})", config.data.classes
    if (outputs := count_outputs(network, sample.images[:1], name, _hint(config))) != classes:
        raise ConfigError(f"{name}: has {outputs} outputs; should have {classes}, as data={config.data.name} has classes")
    measure_into(parse_path("folder", config.folder), probes, network, sample)


def _network(config: Probing) -> ImageNetwork:
    with torch.random.fork_rng(devices=[]):
        module = make("network", config.network, nn.Module)
    if config.checkpoint is None:
        console.out.print(f"{escape(config.network.target)}: weights as the callable makes them, no checkpoint is given")
    else:
        left_out = load_checkpoint(module, parse_path("checkpoint", config.checkpoint), f"checkpoint={config.checkpoint}")
        if left_out:
            console.out.print(f"checkpoint: other weights than the network's are left out: {escape(', '.join(left_out[:5]))}")
    channels = config.data.input_shape[0]
    mean, std = ([value] * channels if isinstance(value, int | float) else value for value in (config.mean, config.std))
    try:
        return ImageNetwork(Normalize(mean, std, len(config.data.input_shape) - 1), module, config.layers, config.channels)
    except ValueError as error:
        raise ConfigError(str(error)) from None


def _hint(config: Probing) -> str:
    grey = config.data.input_shape[0] == 1 and config.channels is None
    return "; channels=3 repeats grey images for a network of three channels" if grey else ""


def _device(accelerator: str) -> torch.device:
    available = {"gpu": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if available.get(accelerator) is False:
        raise ConfigError(f"accelerator={accelerator}: torch finds none here; use accelerator=cpu or accelerator=auto")
    kind = accelerator if accelerator != "auto" else "gpu" if available["gpu"] else "cpu"
    return torch.device({"gpu": "cuda"}.get(kind, kind))
