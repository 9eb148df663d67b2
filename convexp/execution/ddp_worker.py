"""A process of a data-parallel run that is not rank 0: it trains, and neither writes nor prints anything.

Rank 0 starts it as ``python -m convexp.execution.ddp_worker`` with the variables of torchrun, or torchrun starts it as
``convexp-train``. All that it does follows from the job that rank 0 gives it.
"""

import os
import signal
import sys
import threading
import traceback
import warnings
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

from convexp.machine.program import begin_program


def end_with_rank_zero() -> None:
    """Exit as soon as the process that started this one has ended, by whatever; its end closes our standard input."""

    def listen() -> None:
        with suppress(OSError):
            sys.stdin.buffer.read()
        os._exit(1)

    threading.Thread(target=listen, daemon=True).start()


def join() -> None:
    """Train with rank 0, and exit."""
    warnings.simplefilter("ignore")
    begin_program()
    from convexp.execution.meeting import join_store, tell_error, wait_for_job
    from convexp.machine.processes import place_in_environment

    place, store = place_in_environment(), join_store()
    try:
        job = wait_for_job(store)
        if job is not None:
            _train(job, place, store)
    except BaseException:
        with suppress(Exception):  # rank 0 may have ended, and with it the store
            tell_error(store, place.rank, traceback.format_exc())
        _exit(1)
    _exit(0)


def _train(job: Any, place: Any, store: Any) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):  # rank 0 answers them, and needs the others until it has stopped
        signal.signal(number, signal.SIG_IGN)
    sys.path.extend(entry for entry in job.path if entry not in sys.path)
    from pytorch_lightning.loggers import Logger

    from convexp.config.importable import make_importable
    from convexp.execution.fit import fit
    from convexp.execution.loggers import RunLoggers
    from convexp.execution.makers import Maker
    from convexp.execution.meeting import tell_ready
    from convexp.execution.recorder import Recorder
    from convexp.execution.recording import first_record, network_record
    from convexp.execution.setup import build_trainee, set_up
    from convexp.execution.stopwatch import Stopwatch
    from convexp.training.ddp import process_group
    from convexp.training.resuming import read_checkpoints

    make_importable(job.config.pythonpath)
    setup = replace(set_up(job.config, job.folder, None, None), probes={})
    trainee = build_trainee(setup)
    checkpoint = read_checkpoints(setup.checkpoints, trainee.module) if job.resumed else None
    silent = [Maker("logger", partial(_no_logger), Logger) for _ in setup.make_loggers]  # for callbacks that want one
    loggers = RunLoggers(silent, job.folder, None)
    record = first_record(job.config, "", network_record(trainee.layers, setup.plan.width))  # never written
    tell_ready(store, place.rank)
    with process_group(job.config, place, store):
        fit(setup, trainee, loggers, Recorder(job.folder, record, Stopwatch(None)), checkpoint, place)


def _no_logger(**_settings: Any) -> Any:
    """Make a logger that logs nothing."""
    from pytorch_lightning.loggers.logger import DummyLogger

    return DummyLogger()


def _exit(code: int) -> None:
    """Exit at once: what other threads of torch still do when Python ends can print or hang."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    end_with_rank_zero()
    join()
