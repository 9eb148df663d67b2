"""Check the settings of probes that depend on the size of the images: shifts and distances in pixels."""

from typing import Any, get_args

from convexp.config.schema import Config
from convexp.errors import ConfigError
from convexp.geometry.placement import Placement, ShiftProtocol, largest_shift

SHIFTS = ("max_shift", "pixels")  # settings of probes that say how far an image is shifted
DISTANCES = ("step", "displacement", "cutoff")  # settings that are lengths in the image


def check_probes(config: Config) -> None:
    """Check that probes shift by a known protocol, leave the images on their canvas, and use distances within an image.

    Raises:
        ConfigError: naming the setting.
    """
    placement = config.data.placement()
    for name, probe in (config.probes or {}).items():
        settings = probe.spec()
        _check_protocol(f"probes.{name}", settings)
        _check_distances(f"probes.{name}", settings, min(placement.input_size))
        _check_shifts(f"probes.{name}", settings, placement)


def _check_protocol(probe: str, settings: dict[str, Any]) -> None:
    known = get_args(ShiftProtocol)
    if "protocol" in settings and settings["protocol"] not in known:
        raise ConfigError(f"{probe}.protocol={settings['protocol']}: should be one of {', '.join(known)}")


def _check_distances(probe: str, settings: dict[str, Any], size: int) -> None:
    for setting in DISTANCES:
        value = settings.get(setting)
        if isinstance(value, int | float) and value > size:
            raise ConfigError(f"{probe}.{setting}={value}: should be {size} at most for images of {size} pixels")


def _check_shifts(probe: str, settings: dict[str, Any], placement: Placement) -> None:
    crop = settings.get("protocol") == "crop"
    limit = _crop_room(placement) if crop else min(placement.input_size) - 1
    why = "as the window (data.shift.window) has to stay on the canvas" if crop else "on this canvas"
    for setting in SHIFTS:
        value = settings.get(setting)
        if isinstance(value, int) and limit < 1:
            raise ConfigError(f"{probe}.{setting}={value}: there is no room to shift {why}")
        if isinstance(value, int) and not 1 <= value <= limit:
            raise ConfigError(f"{probe}.{setting}={value}: should be between 1 and {limit} {why}")


def _crop_room(placement: Placement) -> int:
    """How far the window can move in each direction, in pixels, beyond the shifts that test images have already."""
    rooms = zip(placement.canvas_size, placement.input_size, largest_shift(placement.test), strict=True)
    return max(0, min((canvas - window) // 2 - shifted for canvas, window, shifted in rooms))
