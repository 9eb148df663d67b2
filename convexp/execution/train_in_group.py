"""A run of a group makes its training steps at once with the others, if that is possible and faster (docs/training.md)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import torch
from msgspec.structs import replace
from torch import nn

from convexp.execution.recorder import Recorder
from convexp.execution.setup import Setup, Trainee
from convexp.machine import group, interruption
from convexp.records.log import log
from convexp.replicas import Member, Replicas, worthwhile
from convexp.training import random_states as random_states  # each run of a group has its own
from convexp.training.over_processes import Step
from convexp.training.tasks.task import Task, TaskBatch

TOO_LARGE = "it is not expected to take less time for networks of this size (hydra.launcher.replicas=N does so all the same)"
WITH_EMA = (
    "it is not known to take less time with ema, which averages the weights after each step (hydra.launcher.replicas=N does so)"
)

BY_UNIT = (
    "it would give other results with batch normalisation of single units, which enlarges the rounding of what is the same in "
    "all images (hydra.launcher.replicas=N does so)"
)


def join_group(setup: Setup, trainee: Trainee, recorder: Recorder) -> None:
    """Let a run make its steps with the others of its group, if it belongs to one; from the first step on."""
    if group.in_group() and isinstance(trainee.module, Task):
        trainee.module.trainer_of_steps = _StepsTogether(setup, recorder)


@dataclass(frozen=True, eq=False)
class _Wish:
    """What a run brings to the meeting: itself, its batches, and with what it has been trained before, if it has."""

    member: Member
    batches: Sequence[TaskBatch]
    replicas: Replicas | None


@dataclass(frozen=True, eq=False)
class _Answer:
    """What it is told: its steps, with what they were made, for how many runs; or why it is trained alone from now on."""

    steps: list[Step]
    replicas: Replicas | None = None
    runs: int = 1
    alone: str | None = None


class _StepsTogether:
    """Makes the steps of a run's task, in place of ``Task.train_on``.

    Args:
        setup: The parts of the run.
        recorder: Notes how many runs were trained together.
    """

    def __init__(self, setup: Setup, recorder: Recorder) -> None:
        self.setup = setup
        self.recorder = recorder
        self.member: Member | None = None
        self.replicas: Replicas | None = None

    def __call__(self, task: Task, batches: Sequence[TaskBatch]) -> list[Step]:
        """Train on the batches, or on the first ones of them, as the other runs may have brought less."""
        if self.member is None and (reason := self._why_not_unasked(task)) is not None:
            return _train_alone(task, batches, reason)  # to its end, before the next run of the group is set up
        self.member = self.member or _member(task)
        answer: _Answer = group.meet(_Wish(self.member, batches, self.replicas), _train)
        if answer.alone is not None:
            return _train_alone(task, batches, answer.alone)
        if self.replicas is None:
            log.info("trained at once with %d others", answer.runs - 1)
            hardware = self.recorder.record.hardware
            self.recorder.record.hardware = replace(hardware, replicas=answer.runs) if hardware else None
            self.replicas = answer.replicas
        return answer.steps

    def _why_not_unasked(self, task: Task) -> str | None:
        """Say why not to come to the meetings unasked: the same for all runs of a group, which have one network."""
        network = self.recorder.record.network
        batch = self.setup.config.data.batch_size
        if group.asked_for.get():
            return None
        # On a GPU only steps have been measured, no whole sweep in groups (docs/gpu.md).
        if network is None or task.device.type != "cpu":
            return TOO_LARGE
        if self.setup.config.ema is not None:
            return WITH_EMA
        if any(isinstance(module, nn.BatchNorm1d) for module in task.network.modules()):
            return BY_UNIT
        return None if worthwhile(group.size(), batch, task.network, network.layers) else TOO_LARGE

    def __deepcopy__(self, _: object) -> Self:
        return self  # Lightning copies the task for the moving average of its weights, which is not trained


def _train_alone(task: Task, batches: Sequence[TaskBatch], reason: str) -> list[Step]:
    """Train on the batches without the others, as from now on."""
    log.info("trained alone: %s", reason)
    task.trainer_of_steps = None
    group.leave()
    return task.train_on(batches)


def _member(task: Task) -> Member:
    schedules = [config.scheduler for config in task.trainer.lr_scheduler_configs]
    precision = task.trainer.precision_plugin
    schedule = schedules[0] if schedules else None
    return Member(task, task.trainer.optimizers[0], schedule, task.clipping, precision.forward_context)


def _train(wishes: Sequence[_Wish]) -> list[_Answer]:
    """Train all runs that have come; those that come for the first time when others have begun are trained alone."""
    torch.set_flush_denormal(True)  # as prepare_torch does; a greenlet has its own setting, and so has the hub, which is here
    first = all(wish.replicas is None for wish in wishes)
    together = [wish for wish in wishes if first or wish.replicas is not None]
    replicas = Replicas() if first else next(wish.replicas for wish in together)
    assert replicas is not None
    reason = _reason(together, replicas if first else None)
    if reason is not None:
        return [_Answer([], alone=reason)] * len(wishes)
    count = 1 if interruption.requested() else min(len(wish.batches) for wish in together)
    made = iter(replicas.steps([wish.member for wish in together], [wish.batches[:count] for wish in together]))
    late = _Answer([], alone="the others of the group have begun before")
    return [_Answer(next(made), replicas, len(together)) if wish in together else late for wish in wishes]


def _reason(wishes: Sequence[_Wish], asked: Replicas | None) -> str | None:
    """Say why runs are not trained at once; None if they are, or if there is nothing to be asked."""
    if len(wishes) == 1:
        return "no other run of the group is left"
    return None if asked is None else asked.why_not([wish.member for wish in wishes], wishes[0].batches[0][0])
