"""Training a network in one process or, with rank 0 here, in several (docs/training.md, "Several processes")."""

import os
import socket
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, nullcontext
from typing import Any

import pytorch_lightning as pl
from torch.distributed import Store  # pyright: ignore[reportPrivateImportUsage]

from convexp.errors import ConvexpError
from convexp.execution import meeting
from convexp.execution.fit import fit
from convexp.execution.loggers import RunLoggers
from convexp.execution.other_ranks import other_ranks
from convexp.execution.recorder import Recorder
from convexp.execution.setup import Setup, Trainee
from convexp.execution.train_in_group import join_group
from convexp.execution.watch import OtherEndedError, watched
from convexp.machine.processes import Place, torchrun_place
from convexp.records.log import log
from convexp.records.settings import last_line
from convexp.training.ddp import on_gpu, process_group

SIGNS_OF_LOSS = ("gloo", "NCCL", "by peer")  # in what torch says when another process of the group has ended
SECONDS_TO_END = 5.0  # of a process whose connection is closed already
WITHOUT_ABORT = {"TORCH_NCCL_ASYNC_ERROR_HANDLING": "0"}  # else torch ends this process, too, before it can say why
INTERFACES = ("GLOO_SOCKET_IFNAME", "NCCL_SOCKET_IFNAME")  # which network the processes use


def train(
    setup: Setup, trainee: Trainee, loggers: RunLoggers, recorder: Recorder, checkpoint: dict[str, Any] | None
) -> pl.Trainer:
    """Train the network as ``fit`` does, with the other processes that ``trainer.devices`` and ``num_nodes`` ask for.

    Raises:
        ConvexpError: if another process fails or is killed.
    """
    if setup.config.trainer.processes == 1:
        join_group(setup, trainee, recorder)
        return fit(setup, trainee, loggers, recorder, checkpoint)
    with _together(setup, resumed=checkpoint is not None) as place:
        return fit(setup, trainee, loggers, recorder, checkpoint, place)


@contextmanager
def _together(setup: Setup, resumed: bool) -> Generator[Place]:
    job = meeting.job_of(setup.config, setup.folder, resumed)
    place = torchrun_place()
    if place is not None:
        with _joined(job, place, meeting.join_store(), lambda _seconds: None):
            yield place
        return
    place = Place(world_size=setup.config.trainer.processes)
    with _on_this_machine():
        store, port = meeting.open_store()
        with other_ranks(place.world_size, port) as others, _joined(job, place, store, others.first_ended):
            watching = watched(others.first_ended) if on_gpu(setup.config) else nullcontext()
            with watching:
                yield place


@contextmanager
def _joined(job: meeting.Job, place: Place, store: Store, first_ended: Callable[[float], str | None]) -> Generator[None]:
    """Tell the others what is to be trained, and be one of their group."""
    store.set(meeting.JOB, job.to_json())
    _wait_until_ready(store, place.world_size, first_ended)
    try:
        with process_group(job.config, place, store):
            yield
    except ConvexpError:
        raise
    except Exception as error:
        raise _explained(error, store, place.world_size, first_ended) from error


def _wait_until_ready(store: Store, world_size: int, first_ended: Callable[[float], str | None]) -> None:
    """Wait until the others are set up.

    Raises:
        ConvexpError: if one of them ends instead.
    """
    while not all(meeting.is_ready(store, rank) for rank in range(1, world_size)):
        told = meeting.errors(store, world_size)
        if ended := (_told(told) if told else first_ended(0)):
            raise ConvexpError(ended)
        time.sleep(0.1)


def _explained(error: Exception, store: Store, world_size: int, first_ended: Callable[[float], str | None]) -> Exception:
    """The error to raise: ``error`` itself, unless it is only what rank 0 sees of the end of another process."""
    if not isinstance(error, OtherEndedError) and not any(sign in str(error) for sign in SIGNS_OF_LOSS):
        return error
    ended = first_ended(SECONDS_TO_END)
    told = meeting.errors(store, world_size)
    for text in told.values():
        log.info("%s", text)
    return ConvexpError(_told(told) if told else ended or f"one of the {world_size} processes of the training has ended")


def _told(errors: dict[int, str]) -> str:
    rank, text = next(iter(errors.items()))
    return f"process {rank} of the training has ended ({last_line(text)})"


@contextmanager
def _on_this_machine() -> Generator[None]:
    """A context in which Gloo and NCCL talk over the loopback interface, unless the user says otherwise."""
    loopback = next((name for _, name in socket.if_nameindex() if name in ("lo", "lo0")), None)
    settings = dict.fromkeys(INTERFACES, loopback) | WITHOUT_ABORT
    added = [name for name, value in settings.items() if value and name not in os.environ]
    os.environ.update({name: str(settings[name]) for name in added})
    try:
        yield
    finally:
        for name in added:
            del os.environ[name]
