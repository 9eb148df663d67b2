"""Training the network of a run, from the beginning or from a checkpoint."""

import math
import shutil
from functools import partial
from typing import Any

import pytorch_lightning as pl
import torch
from lightning_fabric.utilities.exceptions import MisconfigurationException
from pytorch_lightning.callbacks import Callback
from pytorch_lightning.loggers import Logger
from torch import nn

from convexp.data import loader, training_loader
from convexp.execution.evaluation import with_targets_of
from convexp.execution.loggers import RunLoggers
from convexp.execution.recorder import Recorder
from convexp.execution.setup import Setup, Trainee
from convexp.execution.torch_setup import no_gpu_looked_for
from convexp.layers import native
from convexp.layers.local import PerLocation
from convexp.machine import interruption
from convexp.machine.environment import hardware
from convexp.machine.processes import ALONE, Place
from convexp.records.log import log
from convexp.records.pruning import is_pruning
from convexp.records.record import EpochRecord
from convexp.terminal import console
from convexp.terminal.warning_lines import print_warning
from convexp.training.batch_counts import batches_ahead
from convexp.training.callbacks import FiniteLoss, RandomState, StopAfterSteps
from convexp.training.checkpoints import LAST, SECONDS, Checkpoints
from convexp.training.ddp import OwnRandomness, ddp_arguments, leave_signals_alone
from convexp.training.ema import MovingAverage
from convexp.training.probe_callback import ProbeCallback
from convexp.training.profiler import make_profiler
from convexp.training.progress import progress_callbacks
from convexp.training.prune_callback import StopWhenPruned
from convexp.training.resuming import UnusableError, position, restoring
from convexp.training.stepping import Clipping, needs_lightning
from convexp.training.tasks.task import Task
from convexp.training.trainer import one_device_trainer, refused_by_lightning


@refused_by_lightning("callbacks or logger", MisconfigurationException)
def fit(
    setup: Setup,
    trainee: Trainee,
    loggers: RunLoggers,
    recorder: Recorder,
    checkpoint: dict[str, Any] | None,
    place: Place = ALONE,
) -> pl.Trainer:
    """Train the network and record epochs, steps and hardware.

    Args:
        setup: Parts of the run that do not change.
        trainee: Network, module and callbacks to train.
        loggers: Loggers of the run, which are opened here.
        recorder: Recorder of the run.
        checkpoint: Content of the checkpoint that the training is resumed from; None to start at the beginning, for which
            checkpoints and events of an earlier start are removed.
        place: The place of this process among those that train together, each of which calls this; rank 0 writes and prints.

    Returns:
        Lightning's trainer after the training.

    Raises:
        ConfigError: if Lightning refuses the callbacks or loggers.
        DivergedError: if the loss is not finite.
        UnusableError: if Lightning cannot restore the checkpoint.
    """
    if checkpoint is None and place.rank == 0:
        _remove_earlier_epochs(setup)
    epoch, batch = first = position(checkpoint)
    log.info("started at epoch %d%s: %s", epoch + 1, f", batch {batch + 1}" if batch else "", setup.config.name)
    opened = loggers.open(purge_step=None if checkpoint is None else int(checkpoint["global_step"]))
    config, data = setup.config, setup.data
    stop = [] if config.trainer.max_steps is None else [StopAfterSteps(config.trainer.max_steps)]
    watching = [] if isinstance(trainee.module, Task) else [FiniteLoss()]
    averaging = [] if config.ema is None else [MovingAverage(config.ema)]
    probing = _probing(setup, trainee.network, *averaging) if place.rank == 0 else []
    pruning = _pruning(setup) if place.rank == 0 else []
    checkpoints = Checkpoints(setup.checkpoints, config.monitor, config.improvement, 0 if pruning else SECONDS)
    random = [RandomState(), *([OwnRandomness(config.seed, place.rank)] if place.rank else [])]
    callbacks = [*averaging, *stop, *trainee.callbacks, *watching, *probing, *pruning, checkpoints, *random]
    _let_task_make_the_steps(setup, trainee.module, callbacks)
    trainer = _trainer(setup, opened, callbacks, checkpoint is not None, place, trainee.module.automatic_optimization)
    data = with_targets_of(trainee.module, data).to(trainer.strategy.root_device)
    if place.rank == 0:
        _record_hardware(trainer, trainee.network, recorder, config.trainer.precision, place)
    loggers.start(recorder.record)
    if config.compile:
        trainee.network.compile()
    own_steps = not trainee.module.automatic_optimization and isinstance(trainee.module, Task)
    ahead = partial(batches_ahead, trainer, config.trainer.max_steps) if own_steps else None
    train = training_loader(data.train, config.data.batch_size, data.shifts, config.seed, first, setup.augmenter, place, ahead)
    if batch > len(train):
        raise UnusableError(f"{LAST} is of batch {batch}, and an epoch has {len(train)}")
    with interruption.deferring(), recorder.stopwatch.time("fit"), restoring(checkpoint, checkpoints), no_gpu_looked_for():
        trainer.fit(
            trainee.module,
            train,
            loader(data.val, config.data.eval_batch_size, place if isinstance(trainee.module, Task) else ALONE),
            ckpt_path=None if checkpoint is None else setup.checkpoints / LAST,
            weights_only=True,
        )
    for callback in probing:
        _record_probes_by_epoch(callback, recorder)
    _record_epochs(trainer, checkpoints, recorder)
    if checkpoints.best is not None and math.isnan(checkpoints.best):
        said = f"{config.monitor} is not a number after any epoch, and the last one is taken for the best"
        log.info("%s", said)
        print_warning(f"{setup.folder.name}: {said}")
    return trainer


def _probing(setup: Setup, network: nn.Module, averaging: MovingAverage | None = None) -> list[ProbeCallback]:
    """What measures the probes in the course of the training, if the configuration asks for it."""
    every, scores = setup.config.probe_every, setup.config.outputs_are_scores
    return [ProbeCallback(every, setup.probes, network, setup.data, scores, averaging)] if every else []


def _pruning(setup: Setup) -> list[Callback]:
    """What lets a search stop the run, if the run belongs to one that does so."""
    if setup.sweep is None or not is_pruning(setup.sweep.root):
        return []
    return [StopWhenPruned(setup.sweep.root, setup.folder.name, setup.config.monitor)]


def _remove_earlier_epochs(setup: Setup) -> None:
    shutil.rmtree(setup.checkpoints, ignore_errors=True)
    for events in setup.folder.glob("events.out.tfevents.*"):
        events.unlink()


def _let_task_make_the_steps(setup: Setup, module: pl.LightningModule, callbacks: list[Callback]) -> None:
    """Let the task make the steps of the optimizer itself, which takes less time than Lightning's loop, unless it cannot."""
    settings = setup.config.trainer
    if reason := needs_lightning(settings, module, Task, callbacks):
        log.debug("the steps are made by Lightning: %s", reason)
    elif isinstance(module, Task):
        module.automatic_optimization = False
        module.clipping = Clipping(settings.gradient_clip_val, settings.gradient_clip_algorithm)
        module.cuda_graph = settings.cuda_graph and not settings.detect_anomaly and not setup.config.compile


def _trainer(
    setup: Setup, loggers: list[Logger], callbacks: list[Callback], resumed: bool, place: Place, automatic: bool
) -> pl.Trainer:
    settings = setup.config.trainer
    arguments = settings.arguments() | ({"num_sanity_val_steps": 0} if resumed else {})  # they were made at the first start
    if not automatic:
        arguments |= {"gradient_clip_val": None}  # the task clips
    progress = progress_callbacks(in_sweep=setup.sweep is not None) if place.rank == 0 else []
    trainer = one_device_trainer(
        setup.config,
        profiler=make_profiler(settings.profiler if place.rank == 0 else None, setup.folder),
        logger=loggers,
        callbacks=[*callbacks, *progress],
        enable_progress_bar=console.is_terminal() and place.rank == 0,
        default_root_dir=setup.folder,
        **arguments,
        **ddp_arguments(setup.config, place),
    )
    if not place.alone:
        leave_signals_alone(trainer)
    return trainer


def _record_hardware(trainer: pl.Trainer, network: nn.Module, recorder: Recorder, asked_for: str, place: Place) -> None:
    precision, processes = str(trainer.precision), None if place.alone else place.world_size
    local = any(isinstance(layer, PerLocation) for layer in network.modules())
    in_c = native.available(trainer.strategy.root_device) if local else None
    accelerator, threads = type(trainer.accelerator).__name__, torch.get_num_threads()
    recorder.record.hardware = hardware(accelerator, threads, precision, processes, in_c)
    if precision != asked_for:
        console.out.print(f"trainer.precision={asked_for}: runs as {precision} on this device", markup=False)


def _record_probes_by_epoch(callback: ProbeCallback, recorder: Recorder) -> None:
    """Record the measurements of the callback, whose time counts as that of the probes, not of the training."""
    recorder.record.by_epoch = [EpochRecord(**row) for row in callback.rows]
    recorder.stopwatch.add("fit", -callback.seconds)
    recorder.stopwatch.add("probes", callback.seconds)


def _record_epochs(trainer: pl.Trainer, checkpoints: Checkpoints, recorder: Recorder) -> None:
    epochs = trainer.current_epoch
    recorder.record.metrics |= {
        "epochs": epochs,
        "steps": trainer.global_step,
        "best_epoch": checkpoints.best_epoch,
        "seconds_per_epoch": round(recorder.stopwatch.of("fit") / max(epochs, 1), 4),
    }
