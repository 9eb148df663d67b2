"""A run that trains a network, tests it and measures its probes (docs/design.md, section 2)."""

import pytorch_lightning as pl

from convexp.config import Config
from convexp.config.hydra_files import rewrite_epochs
from convexp.execution.ddp_checks import check_gpus, check_together
from convexp.execution.evaluation import evaluate, load_weights
from convexp.execution.extending import check_checkpoint, forget_end
from convexp.execution.loggers import RunLoggers
from convexp.execution.playground import export_playground
from convexp.execution.probing import measure_probes
from convexp.execution.recorder import Recorder
from convexp.execution.recording import data_record, first_record, network_record, trained_network_record
from convexp.execution.setup import build_trainee, set_up
from convexp.execution.stopwatch import Stopwatch
from convexp.execution.train_together import train
from convexp.machine.own_code import changed, edited
from convexp.probes.pictures import save_pictures
from convexp.records import RunFolder, RunRecord
from convexp.records.log import log, logging_to
from convexp.records.plan_part import Sweep
from convexp.records.record_file import LOG
from convexp.terminal import console
from convexp.training.checkpoints import BEST
from convexp.training.parameter_groups import assign
from convexp.training.resuming import UnusableError, read_checkpoints


class TrainingRun:
    """A training run, set up and ready to be executed. An interrupted run is resumed from its last checkpoint.

    Args:
        config: Configuration of the run.
        folder: Folder of the run, locked for it.
        sweep: The sweep that the run belongs to; None if it belongs to none.

    Raises:
        ConfigError: if a setting is wrong.
    """

    def __init__(self, config: Config, folder: RunFolder, sweep: Sweep | None) -> None:
        self.resumes = folder.found.is_unfinished
        previous = folder.previous if self.resumes else None
        check_gpus(config)
        stopwatch = Stopwatch(previous.seconds if previous else None)
        with stopwatch.time("setup"):
            self.setup = set_up(config, folder.path, previous, sweep)
            self.trainee = build_trainee(self.setup)
            check_together(config, self.setup.data, self.trainee.network)
        self.goes_on_from = previous if folder.extension else None
        if folder.extension:
            check_checkpoint(self.setup.checkpoints, self.trainee.module, folder.extension)
        network = network_record(self.trainee.layers, self.setup.plan.width)
        record = first_record(config, folder.identity, network, previous)
        self.warnings = _code_warnings(config.target_names(), previous)
        record.data = data_record(self.setup.data)
        record.loss = "mean over samples"  # records of older versions lack it: they have the mean over batches
        if groups := config.optimizer.groups:
            record.parameter_groups = assign(self.trainee.network, groups)
        self.recorder = Recorder(folder, record, stopwatch)
        self.loggers = RunLoggers(self.setup.make_loggers, folder.path, sweep.plan if sweep else None)

    def execute(self) -> RunRecord:
        """Train, test the best checkpoint and measure the probes; ``result.json`` is up to date throughout.

        Raises:
            ConvexpError: if the training diverged. Every error is recorded before it is raised.
            KeyboardInterrupt: after Ctrl-C or SIGTERM. The run can be resumed.
        """
        setup, recorder, loggers, record = self.setup, self.recorder, self.loggers, self.recorder.record
        with logging_to(setup.folder / LOG), loggers.ending_with(record), recorder.recording_outcome():
            if self.goes_on_from is not None:
                rewrite_epochs(setup.folder, setup.config.trainer.max_epochs)
                forget_end(setup.folder, self.goes_on_from)
            recorder.save()
            for said in self.warnings:
                log.info("%s", said)
                console.print_warning(f"{setup.folder.name}: {said}")
            trainer = self._fit()
            shape = setup.config.data.input_shape
            record.network = trained_network_record(record.network, self.trainee.network, shape, self.trainee.callbacks)
            if (best := setup.checkpoints / BEST).exists():  # a fast_dev_run writes none
                load_weights(self.trainee.module, best)
            with recorder.stopwatch.time("test"):
                record.metrics |= evaluate(self.trainee.module, setup.data, setup.config)
            record.test_maps = getattr(self.trainee.module, "test_maps", None) or None
            recorder.save()  # the metrics are safe before the probes start
            pictures, failures = measure_probes(setup, self.trainee.network, trainer.strategy.root_device, recorder)
            pictures |= getattr(self.trainee.module, "test_pictures", {})
            save_pictures(pictures, setup.folder)
            if setup.config.playground and not setup.config.trainer.fast_dev_run:
                export_playground(self.trainee.network, setup.data, setup.config, setup.folder)
            loggers.finish(record, pictures, trainer.global_step)
            if failures:
                raise failures[0]
        return record

    def _fit(self) -> pl.Trainer:
        """Train, or resume the training; start again at the beginning if the checkpoints cannot be used."""
        try:
            checkpoint = read_checkpoints(self.setup.checkpoints, self.trainee.module) if self.resumes else None
            return train(self.setup, self.trainee, self.loggers, self.recorder, checkpoint)
        except UnusableError as error:
            log.info("checkpoints: %s, starting again", error)
            console.out.print(f"[yellow]checkpoints: {console.escape(str(error))}, starting again[/]")
        self.trainee = build_trainee(self.setup)
        return train(self.setup, self.trainee, self.loggers, self.recorder, None)


def _code_warnings(targets: list[str], previous: RunRecord | None) -> list[str]:
    """What to say of files of the user's own that the code of this run is not, or was not at its beginning."""
    said: list[str] = []
    if files := changed(targets, previous.versions if previous else {}):
        said.append(f"{', '.join(files)} changed since the run was begun, which goes on with the new code")
    if files := edited(targets):
        said.append(
            f"{', '.join(files)} changed since this process imported the code, which it goes on with; use a new process"
        )
    return said
