"""Check the settings of probes that depend on the size of the images: shifts and distances in pixels."""

from typing import Any, get_args

from convexp.config.schema import Config, Probing, Target
from convexp.errors import ConfigError
from convexp.geometry import Size
from convexp.geometry.placement import Placement, ShiftProtocol, largest_shift

SHIFTS = ("max_shift", "pixels")  # settings of probes that say how far an image is shifted
DISTANCES = ("step", "displacement", "cutoff")  # settings that are lengths in the image


def check_probes(config: Config | Probing) -> None:
    """Check that probes shift by a known protocol, leave the images on their canvas, and use distances within an image.

    Raises:
        ConfigError: naming the setting.
    """
    placement = config.data.placement()
    for name, probe in (config.probes or {}).items():
        check_probe(f"probes.{name}", probe, placement.input_size, _crop_room(placement))


def check_probe(setting: str, probe: Target, size: Size, crop_room: int) -> None:
    """Check the settings of one probe.

    Args:
        setting: The setting that holds the probe, such as ``probes.shift_map``.
        probe: The probe.
        size: Size of the images, in pixels.
        crop_room: How far the protocol ``crop`` can move its window in each direction, in pixels.

    Raises:
        ConfigError: naming the setting.
    """
    settings = probe.spec()
    _check_protocol(setting, settings)
    _check_distances(setting, settings, min(size))
    _check_shifts(setting, settings, size, crop_room)


def check_made_probe(setting: str, probe: object, size: Size) -> None:
    """Check the settings of a probe that is made already, whose class has checked all that does not depend on the images.

    The protocol ``crop`` needs a canvas, without which a probe is skipped.

    Args:
        setting: What messages call the probe.
        probe: The probe.
        size: Size of the images, in pixels.

    Raises:
        ConfigError: naming the setting.
    """
    settings = {name: getattr(probe, name) for name in ("protocol", *SHIFTS, *DISTANCES) if hasattr(probe, name)}
    _check_distances(setting, settings, min(size))
    if settings.get("protocol") != "crop":
        at_least_one = {name: value for name, value in settings.items() if value != 0}  # a grid of shifts may be the point 0
        _check_shifts(setting, at_least_one, size, 0)


def _check_protocol(probe: str, settings: dict[str, Any]) -> None:
    known = get_args(ShiftProtocol)
    if "protocol" in settings and settings["protocol"] not in known:
        raise ConfigError(f"{probe}.protocol={settings['protocol']}: should be one of {', '.join(known)}")


def _check_distances(probe: str, settings: dict[str, Any], size: int) -> None:
    for setting in DISTANCES:
        value = settings.get(setting)
        if isinstance(value, int | float) and value > size:
            raise ConfigError(f"{probe}.{setting}={value}: should be {size} at most for images of {size} pixels")


def _check_shifts(probe: str, settings: dict[str, Any], size: Size, crop_room: int) -> None:
    crop = settings.get("protocol") == "crop"
    limit = crop_room if crop else min(size) - 1
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
