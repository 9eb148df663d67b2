"""Check that the image fits onto its canvas, and that kernels, borders and pooling windows fit their inputs."""

from convexp.config.schema import Config
from convexp.errors import ConfigError


def check_geometry(config: Config) -> None:
    """Check that the canvas holds the image wherever it lies, and that every stage has an output.

    Raises:
        ConfigError: naming the setting, and the stage if there is one.
    """
    try:
        input_shape = config.data.input_shape
        if config.skeleton is not None:
            config.skeleton.skeleton(input_shape, config.network_outputs).sizes()
    except ValueError as error:
        text = str(error)
        raise ConfigError(text if text.startswith(("model.", "data.")) else f"model.{_setting_first(text)}") from None


def _setting_first(text: str) -> str:
    """``stage 1: kernel_size=9 is ...`` as ``kernel_size=9 (stage 1): is ...``."""
    if not text.startswith("stage "):
        return text
    stage, _, rest = text.partition(": ")
    setting, _, reason = rest.partition(" ")
    return f"{setting} ({stage}): {reason}"
