"""Keeps ``result.json`` up to date while a run goes on."""

import traceback
from collections.abc import Generator
from contextlib import contextmanager, suppress

from convexp.errors import ConfigError, ConvexpError, PrunedError
from convexp.execution.stopwatch import Stopwatch
from convexp.machine.environment import now
from convexp.records import RunFolder, RunRecord, RunStatus
from convexp.records.log import log


class Recorder:
    """Writes the record of a run.

    Args:
        folder: Folder of the run, held for it.
        record: Record of the run, which the parts of the run fill in.
        stopwatch: Times of the parts, which every saved record contains.
    """

    def __init__(self, folder: RunFolder, record: RunRecord, stopwatch: Stopwatch) -> None:
        self.folder = folder
        self.record = record
        self.stopwatch = stopwatch

    def save(self, status: RunStatus = RunStatus.RUNNING, error: str | None = None) -> None:
        """Write the record with this status, and with the error of a run that failed."""
        record = self.record
        record.state, record.error = status, error
        record.seconds = self.stopwatch.seconds()
        if status is not RunStatus.RUNNING:
            record.ended = now()
        self.folder.write(record)

    @contextmanager
    def recording_outcome(self) -> Generator[None]:
        """Record how the block ends: finished, interrupted, pruned or failed.

        Raises:
            KeyboardInterrupt: if the block is interrupted or exits, or another process has taken the run over; then nothing is
                recorded any more.
            Exception: if the block raises it.
        """
        try:
            yield
        except (KeyboardInterrupt, SystemExit) as interrupted:
            log.info("taken over by another process" if self.folder.taken_over else "interrupted")
            if error := interrupted.__cause__:  # as it tried to save: the run is resumed from an older checkpoint then
                log.info("there was an error: %r", error)
            with suppress(OSError):  # with a full disk the run must still end as interrupted: a sweep continues after a failure
                self.save(RunStatus.INTERRUPTED)
            raise KeyboardInterrupt from None
        except PrunedError as error:
            log.info("pruned: %s", error)
            self.save(RunStatus.PRUNED, error=str(error))
            raise
        except Exception as error:
            reason = str(error) if isinstance(error, ConvexpError) else traceback.format_exc()
            log.info("failed: %s", reason)
            self.record.config_error = isinstance(error, ConfigError)
            with suppress(OSError):  # the error of the run is more important than one in recording it
                self.save(RunStatus.FAILED, error=reason)
            raise
        else:
            self.save(RunStatus.FINISHED)
            log.info("finished: %s", self.record.metrics)
