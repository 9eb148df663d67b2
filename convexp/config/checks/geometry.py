"""Check that the image fits onto its canvas, that windows and borders fit their inputs, and that layers can be made."""

from convexp.config.checks.sizes import check_windows
from convexp.config.schema import Config, SkeletonModel
from convexp.config.wirings import wiring_of
from convexp.errors import ConfigError
from convexp.geometry import Size
from convexp.geometry.skeleton import Skeleton
from convexp.geometry.width import NARROWEST
from convexp.geometry.wiring import check_wiring


def check_geometry(config: Config) -> None:
    """Check that the canvas holds the image wherever it lies, and that every stage has an output.

    Raises:
        ConfigError: naming the setting, and the stage if there is one.
    """
    try:
        input_shape = config.data.input_shape
        if config.skeleton is not None:
            _skeleton(config, config.skeleton, input_shape).sizes()
    except ValueError as error:
        text = str(error)
        raise ConfigError(text if text.startswith(("model.", "data.")) else f"model.{_setting_first(text)}") from None


def _skeleton(config: Config, model: SkeletonModel, input_shape: Size) -> Skeleton:
    try:
        return model.skeleton(input_shape, config.network_outputs)
    except ValueError:
        check_windows(config)  # a kernel that is far too large would only be told to be odd
        raise


def check_layers(config: Config) -> None:
    """Check that the wiring can make the layer of every stage; of a budget of ``match``, at the width from which it is sought.

    Raises:
        ConfigError: as the layer says it when it is made.
    """
    if (model := config.skeleton) is None:
        return
    skeleton = model.skeleton(config.data.input_shape, config.network_outputs).scaled(model.width)
    try:
        check_wiring(wiring_of(model), skeleton if config.match == "units" else skeleton.scaled(NARROWEST))
    except ValueError as error:
        raise ConfigError(f"model ({model.name}): {error}") from None


def _setting_first(text: str) -> str:
    """``stage 1: kernel_size=9 is ...`` as ``kernel_size=9 (stage 1): is ...``."""
    if not text.startswith("stage "):
        return text
    stage, _, rest = text.partition(": ")
    setting, _, reason = rest.partition(" ")
    return f"{setting} ({stage}): {reason}"
