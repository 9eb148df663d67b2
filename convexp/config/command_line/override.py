"""One override of Hydra's command line, parsed."""

from functools import cache

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException, OverrideParseException

from convexp.errors import ConfigError


@cache  # a grid has few values and many points
def parse_override(text: str) -> Override:
    """Parse an override such as ``seed=0,1``.

    Raises:
        ConfigError: if it cannot be parsed.
    """
    try:
        return OverridesParser.create().parse_override(text)
    except (HydraException, OverrideParseException):
        raise ConfigError(
            f"{text}: cannot be read; write setting=value, and quote a value that holds commas or spaces"
        ) from None
