"""The command line: Hydra's, with convexp's errors and exit codes."""

import functools
import inspect
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import hydra
from hydra.errors import HydraException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from convexp import console
from convexp.config import conf_dir
from convexp.config.messages import explain
from convexp.config.told import told
from convexp.errors import ConvexpError
from convexp.streams import lenient_output

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

    @lenient_output()  # here, since other launchers' processes know nothing of ``main``
    @functools.wraps(task)
    def guarded(cfg: DictConfig) -> Any:
        try:
            return task(cfg)
        except ConvexpError as error:  # here, since Hydra would print a line of its own first
            console.complain(name, str(error))
            sys.exit(error.exit_code)

    app = hydra.main(config_path=conf_dir(), config_name=config_name, **HYDRA)(guarded)

    @lenient_output()
    def main() -> None:
        os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # hands errors to us instead of printing them
        # Idle threads of torch wait a little, then sleep: spinning on they would starve a busy machine, and asleep at once they
        # would have to be woken for every small operation.
        os.environ.setdefault("GOMP_SPINCOUNT", "3000")
        os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # torch's profiler, which counts memory, says when it starts
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C
        try:
            app()
        except (HydraException, OmegaConfBaseException) as error:
            console.complain(name, explain(error, told(sys.argv[1:]), config_name))
            sys.exit(2)
        except ConvexpError as error:  # of a sweep, before its first run
            console.complain(name, str(error))
            sys.exit(error.exit_code)
        except KeyboardInterrupt:
            sys.exit(130)

    return main
