"""Check the settings of augmentations against their ranges and the size of the images."""

from convexp.config.schema import Config
from convexp.errors import ConfigError
from convexp.geometry.augment_ranges import check_ranges

PACKAGE = "convexp.data.augment."
OF_IMAGES = (f"{PACKAGE}rotate.", f"{PACKAGE}rand_augment.")  # of two dimensions
OF_COLOURS = (f"{PACKAGE}rand_augment.",)


def check_augment(config: Config) -> None:
    """Check the augmentations of convexp's own; those of other packages are tried when they are built.

    Raises:
        ConfigError: naming the setting.
    """
    channels, *size = config.data.input_shape
    shape = f"data.image_shape={config.data.image_shape}"
    for name, target in (config.augment or {}).items():
        setting, settings = f"augment.{name}", target.spec()
        if not target.target.startswith(PACKAGE):
            continue
        try:
            check_ranges(settings)
        except ValueError as error:
            raise ConfigError(f"{setting}.{error}") from None
        _check_size(setting, "padding", settings.get("padding"), min(size) - 1)
        _check_size(setting, "size", settings.get("size"), min(size))
        if len(size) < 2 and (target.target.startswith(OF_IMAGES) or settings.get("axis") == "vertical"):
            raise ConfigError(f"{setting}: needs images of two dimensions, and {shape} are signals")
        if target.target.startswith(OF_COLOURS) and channels not in (1, 3):
            raise ConfigError(f"{setting}: needs images of 1 or 3 channels, and {shape} has {channels}")


def _check_size(setting: str, name: str, value: int | None, most: int) -> None:
    if value is not None and value > most:
        raise ConfigError(f"{setting}.{name}={value}: should be {most} at most for images of this size")
