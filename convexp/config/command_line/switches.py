"""Check Hydra's own switches, which Hydra itself answers with a traceback if they are wrong."""

from collections.abc import Sequence

from convexp.config.command_line.parse import parse_command_line
from convexp.errors import ConfigError

VERBOSE = "hydra.verbose"


def check_switches(arguments: Sequence[str]) -> None:
    """Check the switches of Hydra on a command line.

    Raises:
        ConfigError: naming the switch and what would be right.
    """
    switches = {text.partition("=")[0] for text in arguments}
    if "--resolve" in switches and not {"--cfg", "-c", "--help", "-h"} & switches:
        raise ConfigError("--resolve: goes with --cfg job, which prints the configuration instead of running it")
    value = (parse_command_line(arguments).override(VERBOSE) or "").partition("=")[2]
    if value.lower() == "null" or value.replace(".", "").isdecimal():
        raise ConfigError(f"{VERBOSE}={value}: should be true or false")
