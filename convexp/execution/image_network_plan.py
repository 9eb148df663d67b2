"""The plan of any network that a callable makes (docs/networks.md)."""

import inspect
import warnings
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from convexp.config import Config
from convexp.config.schema import NetworkModel, Target
from convexp.config.signatures.settable import PROVIDED_UNLESS_GIVEN
from convexp.errors import ConfigError, one_line
from convexp.execution.makers import Maker, maker, naming_setting
from convexp.execution.pixel_statistics import PixelStatistics, UnitStatistics
from convexp.machine.own_code import place_in_own_code
from convexp.models import ImageNetwork, LayerCost, layer_costs, match_number
from convexp.models.forward_pass import device_of
from convexp.models.parts import Normalize

SETTING = "model.network"


@dataclass(frozen=True)
class ImageNetworkPlan:
    """A network that is not built yet (``convexp.execution.network_plan.NetworkPlan``).

    Attributes:
        model: The section ``model``.
        make: Callable that makes the network.
        image_shape: Shape of the images, (C, H, W).
        outputs: Number of outputs that the network has to have.
        batch: Number of images in a training batch.
        width: Value of the setting that ``model.width_setting`` names; 1 if it names none.
    """

    model: NetworkModel
    make: Maker[nn.Module]
    image_shape: tuple[int, ...]
    outputs: int
    batch: int
    width: float

    def build(self, pixels: PixelStatistics) -> tuple[nn.Module, list[LayerCost]]:
        """Build the network, its weights drawn from torch's random state, and count its layers.

        Raises:
            ConfigError: if the callable makes no network, or if the network fails on an image.
        """
        network = self._make(pixels)
        with naming_setting(SETTING, self.model.network):
            return network, layer_costs(network, self.image_shape)

    def count_layers(self) -> list[LayerCost]:
        """Try the network on a batch, and count its layers.

        Nothing is allocated, on torch's meta device, unless the network cannot be built there. Torch's random state is kept.

        Raises:
            ConfigError: if the callable makes no network, if the network fails on a batch or returns another shape.
        """
        with torch.random.fork_rng(devices=[]), warnings.catch_warnings(action="ignore"):
            try:
                with torch.device("meta"):
                    return self._tried()
            except Exception:  # not every network can be built or run there; on the CPU the error is the network's own
                return self._tried()

    def _make(self, pixels: PixelStatistics) -> ImageNetwork:
        target = self.model.network
        with naming_setting(SETTING, target):
            network = self.make(**_left_out(self.make, self.model.input_shape(self.image_shape), self.outputs))
        normalize = Normalize(pixels.mean, pixels.std, len(self.image_shape) - 1)
        try:
            return ImageNetwork(normalize, network, self.model.layers, self.model.input_channels)
        except ValueError as error:
            raise ConfigError(f"model.{error}") from None

    def _tried(self) -> list[LayerCost]:
        network = self._make(UnitStatistics(self.image_shape[0])).train()
        size = min(self.batch, 2)
        output = self._output(network, size)
        found = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
        if found != (size, self.outputs):
            raise ConfigError(
                f"{SETTING} ({self.model.network.target}): returns {found} for {size} images; should return "
                f"{(size, self.outputs)}, one number for each of the {self.outputs} outputs"
            )
        return layer_costs(network, self.image_shape)

    def _output(self, network: ImageNetwork, size: int) -> Any:
        images = torch.zeros(size, *self.image_shape, device=device_of(network))
        shape = "x".join(map(str, self.image_shape))
        try:
            with torch.no_grad():
                return network(images)
        except Exception as error:
            place = place_in_own_code(error)
            raise ConfigError(
                f"{SETTING} ({self.model.network.target}): fails on images of {shape} "
                f"({one_line(error)}{place and f'; {place}'}){self._hint(size, str(error))}"
            ) from None

    def _hint(self, size: int, error: str) -> str:
        """What may help against an error of the network."""
        if size == 1:
            return "; if it normalises over the batch, set data.batch_size=2 or more"
        if len(self.image_shape) == 2:
            return "; these are signals, and most networks take images; model=conv and its like take both"
        if self.image_shape[0] == 1 and "channels" in error:
            return "; if it takes colours, set model.input_channels=3: grey images are repeated"
        return ""


def plan_image_network(config: Config, model: NetworkModel) -> ImageNetworkPlan:
    """Plan the network that ``model`` describes, at the width that ``match`` asks for.

    Raises:
        ConfigError: if there is no such callable, if it takes other arguments, or if the budget of ``match`` cannot be reached.
    """
    if config.match == "units":
        return _plan(config, model, model.network)

    def at(width: int) -> ImageNetworkPlan:
        spec = model.network.spec() | {str(model.width_setting): width}
        return _plan(config, model, Target.model_validate(spec))

    return at(match_number(config.match, model.width_multiple, lambda width: at(width).count_layers()))


def _plan(config: Config, model: NetworkModel, target: Target) -> ImageNetworkPlan:
    return ImageNetworkPlan(
        model=model,
        make=maker(SETTING, target, nn.Module),
        image_shape=config.data.input_shape,
        outputs=config.network_outputs,
        batch=config.data.batch_size,
        width=float(target.spec().get(str(model.width_setting), 1)),
    )


def _left_out(make: Maker[nn.Module], input_shape: tuple[int, ...], outputs: int) -> dict[str, Any]:
    """The arguments that the callable takes by name, that convexp knows, and that the configuration leaves out."""
    values = {"input_shape": input_shape, "outputs": outputs}
    taken = inspect.signature(make.partial.func).parameters
    return {
        name: values[name] for name in PROVIDED_UNLESS_GIVEN[SETTING] if name in taken and name not in make.partial.keywords
    }
