"""A tracker that needs no package: it writes what it is told to a file in the folder of the run."""

import json
import secrets
import time
from pathlib import Path

from pytorch_lightning.loggers import Logger

from convexp.tracking.kept_names import kept_name

FILE = "told.jsonl"
SECONDS = 0.5  # that it takes to open


class Diary(Logger):
    tracker = "diary"

    def __init__(self, folder: Path, purge_step: int | None) -> None:
        super().__init__()
        self.file = folder / FILE
        self.run = kept_name(folder, self.tracker, purge_step) or secrets.token_hex(4)
        self.is_open = False

    @property
    def name(self):
        return "diary"

    @property
    def version(self):
        return self.run

    def log_hyperparams(self, params):
        self._write("settings", params)

    def log_metrics(self, metrics, step=None):
        self._write("metrics", metrics)

    def end_run(self, failed):
        self._write("failed", failed)

    def _write(self, kind, value):
        if not self.is_open:
            time.sleep(SECONDS)
            self.is_open = True
        with self.file.open("a") as file:
            file.write(json.dumps({"run": self.run, kind: value}) + "\n")


class Closed(Diary):
    def log_hyperparams(self, params):
        raise OSError("nobody answers")
