"""Weights of any module from a file: a state dict, alone or among other things, whatever its names begin with."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from convexp.errors import ConfigError, one_line

WITHIN = ("state_dict", "model_state_dict", "model", "network", "module")  # keys under which others save a state dict
DEEPEST = 3  # words before the names of the weights, as in network.network.conv1.weight


def load_checkpoint(module: nn.Module, file: Path, setting: str) -> list[str]:
    """Load the weights of ``module`` from a file.

    The file holds a state dict, or a dictionary with one under a key such as ``state_dict`` or ``model``. All names may have
    the same beginning, such as ``module.`` or ``network.``.

    Args:
        module: The module.
        file: The file, which is read with ``weights_only=True``.
        setting: The setting that names the file, with its value, for messages.

    Returns:
        Names of weights in the file that do not begin as the module's do, and are left out: those of a loss, for example.

    Raises:
        ConfigError: If the file holds no state dict, or not the weights of this module.
    """
    weights = _state_dict(_read(file, setting), setting)
    wanted = module.state_dict()
    beginning = _beginning(weights, wanted)
    named = {name.removeprefix(beginning): value for name, value in weights.items() if name.startswith(beginning)}
    missing = [name for name in wanted if name not in named and not name.endswith(".num_batches_tracked")]
    unexpected = [name for name in named if name not in wanted]
    if missing or unexpected:
        parts = [f"lacks {_some(missing)}"] * bool(missing) + [f"has {_some(unexpected)}"] * bool(unexpected)
        raise ConfigError(f"{setting}: holds the weights of another network: it {' and '.join(parts)}")
    for name, value in named.items():
        if value.shape != wanted[name].shape:
            shapes = f"{tuple(value.shape)}; should have {tuple(wanted[name].shape)}"
            raise ConfigError(f"{setting}: holds the weights of another network: {name} has the shape {shapes}")
    module.load_state_dict(named, strict=False)
    return [name for name in weights if not name.startswith(beginning)]


def _read(file: Path, setting: str) -> Any:
    try:
        return torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:
        raise ConfigError(
            f"{setting}: cannot be read as weights alone; save it with torch.save(module.state_dict(), FILE) "
            f"({type(error).__name__}: {one_line(error)})"
        ) from None


def _state_dict(content: Any, setting: str) -> dict[str, Tensor]:
    if isinstance(content, Mapping):
        inner = next((content[key] for key in WITHIN if isinstance(content.get(key), Mapping)), content)
        found = {str(name): value for name, value in inner.items() if isinstance(value, Tensor)}
        if found:
            return found
    kind = f"keys are {_some(content)}" if isinstance(content, Mapping) else f"type is {type(content).__name__}"
    raise ConfigError(f"{setting}: holds no state dict; its {kind}")


def _beginning(weights: Iterable[str], wanted: Iterable[str]) -> str:
    """The beginning of names in ``weights`` without which most of them are in ``wanted``; the shortest of several."""
    names, known = list(weights), set(wanted)
    beginnings = dict.fromkeys([""])
    for name in names:
        words = name.split(".")
        beginnings |= dict.fromkeys(".".join(words[:n]) + "." for n in range(1, min(DEEPEST, len(words) - 1) + 1))
    return max(
        beginnings, key=lambda start: (sum(n.startswith(start) and n.removeprefix(start) in known for n in names), -len(start))
    )


def _some(names: Iterable[Any]) -> str:
    every = [str(name) for name in names]
    return ", ".join(every[:3]) + (f" and {len(every) - 3} more" if len(every) > 3 else "")
