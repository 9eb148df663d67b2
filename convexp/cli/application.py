"""The command line: Hydra's, with convexp's errors and exit codes."""

import functools
import inspect
import os
import re
import signal
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import hydra
from hydra.errors import HydraException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from convexp.cli.questions import answer
from convexp.config import conf_dir
from convexp.config.command_line import told
from convexp.config.groups import chosen
from convexp.config.messages import explain, not_utf8
from convexp.config.places import forget_empty_variables, quoted
from convexp.config.switches import check_switches
from convexp.errors import ConfigError, ConvexpError
from convexp.terminal import console
from convexp.terminal.streams import lenient_output

# Hydra 1.4 wants to know what may be instantiated, Hydra 1.3 which version's defaults are meant.
HYDRA: dict[str, Any] = (
    {"execution_whitelist": ("convexp.*", "torch.*", "pytorch_lightning.*")}
    if "execution_whitelist" in inspect.signature(hydra.main).parameters
    else {"version_base": "1.3"}
)


def application(name: str, config_name: str, task: Callable[[DictConfig], Any]) -> Callable[[], None]:
    """The program ``name``: composes ``config_name`` with the command line's overrides and hands it to ``task``.

    Exit codes: 0 done, 1 a run failed, 2 the configuration is wrong (one line on stderr), 130 interrupted.
    """

    @functools.wraps(task)
    def guarded(cfg: DictConfig) -> Any:
        # Here, too: other launchers' processes know nothing of ``main``, and Hydra would print a line of its own first.
        with lenient_output(), mistakes_in_one_line(name, config_name), console.warnings_once():
            return task(cfg)

    app = hydra.main(config_path=conf_dir(), config_name=config_name, **HYDRA)(guarded)

    @lenient_output()
    def main() -> None:
        os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # hands errors to us instead of printing them
        # Idle threads of torch wait a little, then sleep: spinning on they would starve a busy machine, and asleep at once they
        # would have to be woken for every small operation.
        os.environ.setdefault("GOMP_SPINCOUNT", "3000")
        os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # torch's profiler, which counts memory, says when it starts
        forget_empty_variables()
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C
        console.warned.clear()
        try:
            with mistakes_in_one_line(name, config_name):
                sys.argv[1:] = arranged(sys.argv[1:])
                check_switches(sys.argv[1:])
                if not answer(name, config_name, sys.argv[1:]):
                    app()
        except KeyboardInterrupt:
            sys.exit(130)

    return main


def arranged(arguments: list[str]) -> list[str]:
    """The command line with switches first, which Hydra does not take amidst overrides, and overrides as Hydra takes them.

    Raises:
        ConfigError: for an override that names no setting, or chooses no option of a group.
    """
    switches: list[str] = []
    overrides: list[str] = []
    for before, text in zip(["", *arguments], arguments, strict=False):
        follows = before.startswith(("--config-", "-c")) and "=" not in before  # the folder that it names may be a=b
        if re.match(r"[+~]*=", text):
            raise ConfigError(f"{text}: names no setting; write setting=value")
        is_override = not text.startswith("-") and ("=" in text or text.startswith("~")) and not follows
        (overrides if is_override else switches).append(text)
    return [*switches, *(chosen(quoted(text)) for text in overrides)]


@contextmanager
def mistakes_in_one_line(program: str, config_name: str) -> Generator[None]:
    """End ``program`` with a line on stderr and the exit code, if what is within raises an error that a line explains."""
    try:
        yield
    except (HydraException, OmegaConfBaseException, YAMLError) as error:
        if _covers_an_interrupt(error):
            sys.exit(130)
        console.complain(program, explain(error, told(sys.argv[1:]), config_name))
        sys.exit(2)
    except UnicodeDecodeError:
        said = not_utf8(told(sys.argv[1:]))
        if said is None:
            raise
        console.complain(program, said)
        sys.exit(2)
    except ConvexpError as error:
        console.complain(program, str(error))
        sys.exit(error.exit_code)


def _covers_an_interrupt(error: BaseException) -> bool:
    """Whether Ctrl-C came first: OmegaConf, interrupted in the midst of its work, stumbles over what is half done."""
    earlier = error.__context__ or error.__cause__
    return isinstance(earlier, KeyboardInterrupt) or (earlier is not None and _covers_an_interrupt(earlier))
