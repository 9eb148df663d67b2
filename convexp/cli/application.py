"""Turn a task into a program: Hydra's command line, with convexp's error messages and exit codes."""

import functools
import inspect
import os
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import hydra
from hydra.errors import HydraException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from convexp.cli.information import print_information
from convexp.cli.switches import check_switches
from convexp.config import conf_dir
from convexp.config.command_line.arrange import arrange_arguments
from convexp.config.command_line.parse import parse_command_line
from convexp.config.help.groups import list_groups_quickly
from convexp.config.help.own_options import register_own_options
from convexp.config.messages.hydra_errors import explain_encoding_error, explain_hydra_error
from convexp.config.user_paths import check_working_directory, drop_empty_variables
from convexp.errors import ConvexpError
from convexp.machine import interruption
from convexp.machine.program import begin_program
from convexp.machine.torch_variables import set_torch_variables
from convexp.terminal.console import print_error
from convexp.terminal.streams import lenient_output
from convexp.terminal.warning_lines import forget_warnings, warnings_in_one_line

# Hydra 1.4 needs to know what may be instantiated, Hydra 1.3 which version's defaults apply.
HYDRA: dict[str, Any] = (
    {"execution_whitelist": ("convexp.*", "torch.*", "pytorch_lightning.*")}
    if "execution_whitelist" in inspect.signature(hydra.main).parameters
    else {"version_base": "1.3"}
)


def application(program: str, config_name: str, task: Callable[[DictConfig], Any]) -> Callable[[], None]:
    """The main function of ``program``: it composes a configuration from the command line, and calls ``task`` with it.

    Exit codes: 0 if all is well, 1 if a run failed, 2 if the configuration is wrong (with one line on stderr), 130 if the
    program was interrupted.

    Args:
        program: name of the program in messages.
        config_name: name of the primary configuration, ``train`` or ``eval``.
        task: what to do with a composed configuration.
    """

    @functools.wraps(task)
    def guarded(cfg: DictConfig) -> Any:
        # Here, too: processes of other launchers do not call ``main``, and Hydra would print a line of its own first.
        with lenient_output(), errors_in_one_line(program, config_name), warnings_in_one_line():
            return task(cfg)

    def run_hydra() -> None:  # not before it runs: an import must not change the version base of another application
        hydra.main(config_path=conf_dir(), config_name=config_name, **HYDRA)(guarded)()

    @lenient_output()
    def main() -> None:
        begin_program()
        set_environment()
        register_own_options()
        list_groups_quickly()
        interruption.handle_signals()
        forget_warnings()
        try:
            with errors_in_one_line(program, config_name):
                check_working_directory()
                sys.argv[1:] = arrange_arguments(sys.argv[1:])
                if not print_information(program, config_name, sys.argv[1:]):
                    check_switches(sys.argv[1:], config_name)
                    run_hydra()
        except KeyboardInterrupt:
            sys.exit(130)

    return main


def set_environment() -> None:
    """Set the environment variables of Hydra and torch that are not set, and drop those of convexp that are empty."""
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # Hydra raises errors instead of printing them
    set_torch_variables()
    drop_empty_variables()


@contextmanager
def errors_in_one_line(program: str, config_name: str) -> Generator[None]:
    """A context that turns errors which one line explains into that line on stderr, and ends ``program`` with its exit code."""
    try:
        yield
    except (HydraException, OmegaConfBaseException, YAMLError) as error:
        if _caused_by_interrupt(error):
            sys.exit(130)
        print_error(program, explain_hydra_error(error, parse_command_line(sys.argv[1:]), config_name))
        sys.exit(2)
    except UnicodeDecodeError:
        message = explain_encoding_error(parse_command_line(sys.argv[1:]))
        if message is None:
            raise
        print_error(program, message)
        sys.exit(2)
    except ConvexpError as error:
        print_error(program, str(error))
        sys.exit(error.exit_code)


def _caused_by_interrupt(error: BaseException) -> bool:
    """Whether Ctrl-C came first: OmegaConf, when it is interrupted, raises errors about what it left half done."""
    earlier = error.__context__ or error.__cause__
    return isinstance(earlier, KeyboardInterrupt) or (earlier is not None and _caused_by_interrupt(earlier))
