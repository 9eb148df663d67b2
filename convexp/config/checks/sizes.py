"""Check numbers that are of the right type but too large or too small to make sense, on any machine."""

from convexp.config.schema import Config, Target
from convexp.errors import ConfigError

MAX_REPEATS = 10_000
REPEATS = ("pairs", "repeats")  # settings of targets that say how often something is done


def check_width(config: Config) -> None:
    """Check that every stage has a channel and every hidden layer a unit, and that a wiring other than dense has a stage.

    Raises:
        ConfigError: naming the setting.
    """
    if (model := config.skeleton) is None:
        return
    for setting, numbers in (("channels", model.channels), ("hidden", model.hidden)):
        for number in numbers:
            if not 1 <= round(number * model.width) < 2**31:
                raise ConfigError(f"model.width={model.width}: makes {number * model.width:g} of model.{setting}={number}")
    if not model.channels and ".dense." not in model.wiring.target:
        raise ConfigError(
            f"model.channels=[]: leaves no stage for {model.wiring.target} to connect; name channels, or use model=mlp"
        )


def check_windows(config: Config) -> None:
    """Check that kernels, strides, dilations, paddings and filters are not larger than the images they are applied to.

    Raises:
        ConfigError: naming the setting.
    """
    if (model := config.skeleton) is None:
        return
    size = config.data.input_shape[1:]
    for setting in ("kernel_size", "stride", "dilation", "padding", "blur_size"):
        value = getattr(model, setting)
        for of_stage in value if isinstance(value, list) else [value]:
            limits = size if isinstance(of_stage, list) else (max(size),)
            for number, pixels in zip(of_stage if isinstance(of_stage, list) else [of_stage], limits, strict=False):
                limit = 2 * pixels + 1 if setting in ("kernel_size", "blur_size") else pixels
                if isinstance(number, int) and number > limit:
                    raise ConfigError(f"model.{setting}={number}: should be {limit} at most for images of {pixels} pixels")


def check_numbers(setting: str, target: Target) -> None:
    """Check arguments whose meaning their name tells, whatever target takes them: seeds, momentum, repetitions.

    Raises:
        ConfigError: naming the argument of the target at ``setting``.
    """
    for name, value in target.spec().items():
        if not isinstance(value, int | float):
            continue
        if name.endswith("seed") and value < 0:
            raise ConfigError(f"{setting}.{name}={value}: should be 0 or more")
        if name == "momentum" and value >= 1:
            raise ConfigError(f"{setting}.{name}={value}: should be below 1, or the steps would grow without bound")
        if name in REPEATS and value > MAX_REPEATS:
            raise ConfigError(f"{setting}.{name}={value}: should be {MAX_REPEATS} at most, as each repetition takes time")
