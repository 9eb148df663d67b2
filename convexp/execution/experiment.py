"""One run: fit, best checkpoint, test, probes, result (docs/design.md, section 2)."""

import shutil
import time
import traceback
from collections.abc import Generator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import pytorch_lightning as pl
import torch
from lightning_fabric.utilities.exceptions import MisconfigurationException
from msgspec.structs import asdict
from pytorch_lightning.loggers import Logger
from torch import Tensor

from convexp.config import Config
from convexp.data import loader, training_loader
from convexp.data.preview import preview_grid
from convexp.errors import ConfigError, ConvexpError
from convexp.execution import build
from convexp.execution.evaluation import evaluate, load_weights, prepare_torch, save_pictures
from convexp.execution.footprint import check_memory
from convexp.execution.recording import data_record, network_record
from convexp.machine.environment import git, hardware, versions
from convexp.probes.figures import numbers_over_epochs
from convexp.probes.runner import flatten_numbers, measure, probe_sample
from convexp.records import RunFolder, RunRecord, RunStatus, write_record
from convexp.records.log import log, logging_to
from convexp.records.plan import read_plan, sweep_root
from convexp.records.record import EpochRecord, Seconds
from convexp.records.record_file import LOG
from convexp.records.settings import lookup
from convexp.terminal import console
from convexp.tracking.final_metrics import final_metrics
from convexp.tracking.hparams import cells, columns
from convexp.tracking.metrics_csv import MetricsCSV
from convexp.tracking.tensorboard import TensorBoard
from convexp.tracking.trackers import close
from convexp.training.callbacks import RandomState
from convexp.training.checkpoints import BEST, LAST, Checkpoints
from convexp.training.module import Classifier
from convexp.training.probe_callback import ProbeCallback
from convexp.training.profiler import make_profiler
from convexp.training.progress import progress_callbacks
from convexp.training.resuming import UnusableError, read_checkpoints, restoring
from convexp.training.trainer import one_device_trainer, refused_by_lightning


class Experiment:
    """A run in its folder; ``execute`` does it, or what is left of it."""

    def __init__(self, config: Config, folder: RunFolder) -> None:
        self.config = config
        self.folder = folder.path
        self.resumes = folder.found.is_unfinished
        self.previous = folder.previous if self.resumes else None
        before_now = asdict(self.previous.seconds) if self.previous else {}
        self.seconds: dict[str, float] = {k: v for k, v in before_now.items() if v is not None and k != "total"}
        with self._timed("setup"):
            prepare_torch(config)
            root = sweep_root(self.folder)
            self.study = read_plan(root) if root else None
            self.data = build.dataset(config)
            before = self.previous.data.checksum if self.previous else None
            if before is not None and before != self.data.checksum:
                raise ConfigError(
                    f"data ({config.data.name}): the images have changed since this run was begun (checksum {before}, now "
                    f"{self.data.checksum}); start a new one"
                )
            self.plan = build.plan(config)
            check_memory(config, self.plan.count_layers(), self.data)
            self.probes = build.probes(config)
            self.make_loggers = build.loggers(config)
            self._build()
        self.loggers: list[Logger] = []
        self.record = self._first_record(folder.identity)

    def _build(self) -> None:
        """What a training changes: it begins as the seed says."""
        pl.seed_everything(self.config.seed, workers=True, verbose=False)
        self.network, self.layers = self.plan.build(self.data)
        self.module = Classifier(self.network, *build.optimization(self.config))
        self.callbacks = build.callbacks(self.config)

    @contextmanager
    def _timed(self, part: str) -> Generator[None]:
        start = time.perf_counter()
        yield
        self.seconds[part] = round(self.seconds.get(part, 0.0) + time.perf_counter() - start, 4)

    def _first_record(self, identity: str) -> RunRecord:
        config, started = self.config, self.previous.started if self.previous else None
        return RunRecord(
            state=RunStatus.RUNNING,
            identity=identity,
            name=config.name,
            seed=config.seed,
            started=started or datetime.now(UTC).isoformat(timespec="seconds"),
            config=self._config_as_begun(),
            network=network_record(self.layers, self.plan.width),
            data=data_record(self.data),
            loss="mean over samples",  # records without it: mean over batches, of which the last may be shorter
            versions=versions(),
            git=git(),
        )

    def _config_as_begun(self) -> dict[str, Any]:
        """With the places where the data lay then: it is the same data, and other places would stand for other runs."""
        config = self.config.model_dump(by_alias=True)
        source: dict[str, Any] = config["data"]["source"]
        for key in {"root", "file"} & source.keys():
            before = lookup(self.previous and self.previous.config, f"data.source.{key}")
            source[key] = before if isinstance(before, str) else source[key]
        return config

    def execute(self) -> RunRecord:
        """Fit, test and probe, and keep ``result.json`` true all the while.

        Raises:
            ConvexpError: if the training diverged; every error is noted in the result first.
            KeyboardInterrupt: after Ctrl-C or SIGTERM, with the folder left resumable.
        """
        with logging_to(self.folder / LOG):
            try:
                self._run()
            except (KeyboardInterrupt, SystemExit):
                log.info("interrupted")
                with suppress(OSError):  # a full disk must not turn Ctrl-C into a failure, after which a sweep goes on
                    self._save(RunStatus.INTERRUPTED)
                raise KeyboardInterrupt from None
            except Exception as error:
                reason = str(error) if isinstance(error, ConvexpError) else traceback.format_exc()
                log.info("failed: %s", reason)
                self.record.config_error = isinstance(error, ConfigError)
                with suppress(OSError):  # what went wrong is what has to be said
                    self._save(RunStatus.FAILED, error=reason)
                raise
            else:
                self._save(RunStatus.FINISHED)
                log.info("finished: %s", self.record.metrics)
            finally:
                self._close()
        return self.record

    def _close(self) -> None:
        """End the trackers; what they make of it changes nothing in the run."""
        for tracker in self._trackers():
            try:
                close(tracker, failed=not self.record.is_finished)
            except Exception as error:
                log.warning("%s cannot be closed: %s", type(tracker).__name__, error)

    def _run(self) -> None:
        self._save(RunStatus.RUNNING)
        try:
            self._fit(read_checkpoints(self.folder / "checkpoints", self.module) if self.resumes else None)
        except UnusableError as error:
            log.info("checkpoints: %s, starting again", error)
            console.out.print(f"[yellow]checkpoints: {console.escape(str(error))}, starting again[/]")
            self._build()
            self._fit(None)
        self._test()
        self._save(RunStatus.RUNNING)  # what is measured is safe before the probes start
        self._probe()

    def _save(self, state: RunStatus, error: str | None = None) -> None:
        record = self.record
        record.state, record.error = state, error
        record.seconds = Seconds(**self.seconds, total=round(sum(self.seconds.values()), 4))
        if state is not RunStatus.RUNNING:
            record.ended = datetime.now(UTC).isoformat(timespec="seconds")
        write_record(self.folder, record)

    def _clear(self) -> None:
        """Away with what an earlier start has left of epochs: they are done again."""
        shutil.rmtree(self.folder / "checkpoints", ignore_errors=True)
        for events in self.folder.glob("events.out.tfevents.*"):
            events.unlink()

    def _trainer(self, checkpoint: dict[str, Any] | None) -> pl.Trainer:
        config, settings = self.config, self.config.trainer
        purge_step = None if checkpoint is None else int(checkpoint["global_step"])
        makers = [] if settings.fast_dev_run else self.make_loggers
        self.loggers = [make(folder=self.folder, purge_step=purge_step) for make in makers]
        self.checkpoints = Checkpoints(self.folder / "checkpoints", config.monitor, config.monitor_mode)
        progress = progress_callbacks(in_sweep=sweep_root(self.folder) is not None)
        self.learning = [ProbeCallback(config.probe_every, self.probes, self.data)] if config.probe_every else []
        return one_device_trainer(
            config,
            max_epochs=settings.max_epochs,
            gradient_clip_val=settings.gradient_clip_val,
            deterministic=settings.deterministic,
            fast_dev_run=settings.fast_dev_run,
            overfit_batches=settings.overfit_batches,
            profiler=make_profiler(settings.profiler, self.folder),
            logger=self.loggers,
            callbacks=[*self.callbacks, *self.learning, self.checkpoints, RandomState(), *progress],
            enable_progress_bar=console.is_terminal(),
            num_sanity_val_steps=0,
            default_root_dir=self.folder,
        )

    @refused_by_lightning("callbacks or logger", MisconfigurationException)
    def _fit(self, checkpoint: dict[str, Any] | None) -> None:
        if checkpoint is None:
            self._clear()
        first_epoch = 0 if checkpoint is None else int(checkpoint["epoch"]) + 1
        log.info("started at epoch %d: %s", first_epoch + 1, self.config.name)
        self.trainer = self._trainer(checkpoint)
        config, data = self.config, self.data.to(self.trainer.strategy.root_device)
        accelerator, precision = type(self.trainer.accelerator).__name__, str(self.trainer.precision)
        self.record.hardware = hardware(accelerator, torch.get_num_threads(), precision)
        if precision != config.trainer.precision:
            console.out.print(f"trainer.precision={config.trainer.precision}: runs as {precision} on this device", markup=False)
        for board in self._boards():
            board.start(self.record, self.study)
        if config.compile:
            self.network.compile()
        with self._timed("fit"), restoring(checkpoint, self.checkpoints):
            self.trainer.fit(
                self.module,
                training_loader(data.train, config.data.batch_size, data.shifts, config.seed, first_epoch),
                loader(data.val, config.data.eval_batch_size),
                ckpt_path=None if checkpoint is None else self.folder / "checkpoints" / LAST,
                weights_only=True,
            )
        for learning in self.learning:
            self.record.by_epoch = [EpochRecord(**row) for row in learning.rows]
            self.seconds["fit"] = round(self.seconds["fit"] - learning.seconds, 4)
            self.seconds["probes"] = round(self.seconds.get("probes", 0.0) + learning.seconds, 4)
        epochs = self.trainer.current_epoch
        self.record.metrics |= {
            "epochs": epochs,
            "steps": self.trainer.global_step,
            "best_epoch": self.checkpoints.best_epoch,
            "seconds_per_epoch": round(self.seconds["fit"] / max(epochs, 1), 4),
        }

    def _boards(self) -> list[TensorBoard]:
        return [logger for logger in self.loggers if isinstance(logger, TensorBoard)]

    def _trackers(self) -> list[Logger]:
        return [logger for logger in self.loggers if not isinstance(logger, TensorBoard | MetricsCSV)]

    def _test(self) -> None:
        """Validation and test metrics of the best checkpoint."""
        best = self.folder / "checkpoints" / BEST
        if best.exists():
            load_weights(self.module, best)
        with self._timed("test"):
            self.record.metrics |= evaluate(self.module, self.data, self.config)

    def _probe(self) -> None:
        pictures = {"data": preview_grid(self.data, self.config.seed)}
        device = self.trainer.strategy.root_device
        self.network.to(device)
        sample = probe_sample(self.data, self.probes, device)
        failures: list[Exception] = []
        with self._timed("probes"):
            for name, probe in self.probes.items():
                try:
                    self.record.probes[name], found = measure(name, probe, self.network, sample)
                except Exception as error:  # the others are measured all the same
                    failures.append(error)
                    found = {}
                pictures |= found
        rows = self.record.by_epoch or []
        learned = numbers_over_epochs([row.epoch for row in rows], [row.numbers for row in rows])
        if learned is not None:
            pictures["learning"] = learned
        self.record.metrics |= {f"probe/{name}": value for name, value in flatten_numbers(self.record.probes).items()}
        self._show(pictures)
        if failures:
            raise failures[0]

    def _show(self, pictures: dict[str, Tensor]) -> None:
        """Pictures and final metrics, as files and in TensorBoard."""
        step, metrics = self.trainer.global_step, final_metrics(self.record)
        save_pictures(pictures, self.folder)
        for board in self._boards():
            for name, picture in pictures.items():
                board.picture(name, picture, step)
            board.finish(metrics, step, self.study)
        settings = cells(columns(self.study), self.record) | {"seed": self.config.seed}
        for logger in self.loggers:
            if not isinstance(logger, TensorBoard):
                logger.log_hyperparams(settings)
                logger.log_metrics(metrics, max(0, step - 1))  # as Lightning counts: the step of the last epoch
                logger.save()
