"""Check Hydra's own switches, which Hydra itself answers with its usage or a traceback if they are wrong."""

from collections.abc import Sequence

from hydra._internal.utils import get_args_parser

from convexp.config.command_line.parse import parse_command_line
from convexp.config.messages.suggestions import suggest
from convexp.errors import ConfigError

VERBOSE = "hydra.verbose"


def check_switches(arguments: Sequence[str]) -> None:
    """Check the switches of Hydra on a command line.

    Raises:
        ConfigError: naming the switch and what would be right.
    """
    parser = get_args_parser()
    for word in parser.parse_known_args(arguments)[1]:
        if word.startswith("-") and word != "--":
            known = [switch for action in parser._actions for switch in action.option_strings]
            raise ConfigError(f"{word}: there is no such switch{suggest(word.partition('=')[0], known, list_all=False)}")
    switches = {text.partition("=")[0] for text in arguments}
    if "--resolve" in switches and not {"--cfg", "-c", "--help", "-h"} & switches:
        raise ConfigError("--resolve: goes with --cfg job, which prints the configuration instead of running it")
    value = (parse_command_line(arguments).override(VERBOSE) or "").partition("=")[2]
    if value.lower() == "null" or value.replace(".", "").isdecimal():
        raise ConfigError(f"{VERBOSE}={value}: should be true or false")
