"""Hydra's own switches, of which it says what is wrong in a traceback."""

from collections.abc import Sequence

from convexp.config.command_line import told
from convexp.errors import ConfigError

VERBOSE = "hydra.verbose"


def check_switches(arguments: Sequence[str]) -> None:
    """Check what a command line says to Hydra itself.

    Raises:
        ConfigError: naming the switch and what would be right.
    """
    switches = {text.partition("=")[0] for text in arguments}
    if "--resolve" in switches and not {"--cfg", "-c", "--help", "-h"} & switches:
        raise ConfigError("--resolve: goes with --cfg job, which prints the configuration instead of running it")
    said = (told(arguments).override(VERBOSE) or "").partition("=")[2]
    if said.lower() == "null" or said.replace(".", "").isdecimal():
        raise ConfigError(f"{VERBOSE}={said}: should be true or false")
