"""What a command costs before it does its work: CPU time of fresh processes, and what that is of ``import torch``.

    python scripts/bench_startup.py [--rounds 7] [--out FOLDER]

Each round, one after the other and with one thread: Python alone, ``import torch``, ``import hydra``,
``import pytorch_lightning``, ``convexp-train --help``, ``--cfg job``, and ``convexp-train data=digits trainer=cpu`` until its
first training step is done, where a callback ends the process; the last also with ``CONVEXP_WHOLE_IMPORTS=1``, which imports
Lightning as usual. Medians and ranges of user and system time, and of the ratios to ``import torch`` in the same round.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from statistics import median

from results import figures, store
from results import ratios as over

STOP = """
import os
from pytorch_lightning.callbacks import Callback

class Stop(Callback):
    def on_train_batch_end(self, *_):
        os._exit(0)
"""
TRAIN = [sys.executable, "-m", "convexp.train"]
STEP = [*TRAIN, "data=digits", "trainer=cpu", "pythonpath=[.]", "+callbacks.stop._target_=stop.Stop", "hydra.run.dir=run"]
COMMANDS = {
    "python": [sys.executable, "-c", ""],
    "import torch": [sys.executable, "-c", "import torch"],
    "import hydra": [sys.executable, "-c", "import hydra"],
    "import pytorch_lightning": [sys.executable, "-c", "import pytorch_lightning"],
    "--help": [*TRAIN, "--help"],
    "--cfg job": [*TRAIN, "--cfg", "job"],
    "first step": STEP,
    "first step, whole imports": STEP,
}


def cpu_seconds(name: str) -> float:
    """CPU time of a fresh process in a fresh folder, user and system, with all its children."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "stop.py").write_text(STOP)
        whole = {"CONVEXP_WHOLE_IMPORTS": "1"} if "whole" in name else {}
        environment = {key: value for key, value in os.environ.items() if key != "CONVEXP_WHOLE_IMPORTS"}
        environment |= {"OMP_NUM_THREADS": "1", **whole}
        process = subprocess.Popen(COMMANDS[name], cwd=folder, env=environment, stdout=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"{name}: exit code {process.returncode}")
        return used.ru_utime + used.ru_stime


def main() -> None:
    """Print the table, and write what was measured."""
    parser = argparse.ArgumentParser(description="CPU time of commands before they do their work.")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--out", type=Path, default=Path("outputs"), help="folder for the JSON file (default outputs)")
    arguments = parser.parse_args()
    taken: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for number in range(arguments.rounds + 1):
        for name in COMMANDS:
            seconds = cpu_seconds(name)
            if number:  # the first round reads the files from the disk and compiles them
                taken[name].append(seconds)
    print(f"CPU seconds, n = {arguments.rounds}: median (range), and of import torch in the same round")
    for name, seconds in taken.items():
        ratios = [a / b for a, b in zip(seconds, taken["import torch"], strict=True)]
        ratio = f"{median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
        print(f"{name:26} {median(seconds):5.2f} ({min(seconds):.2f} to {max(seconds):.2f})   {ratio}")
    versions = {package: version(package) for package in ("torch", "pytorch-lightning", "torchmetrics", "hydra-core")}
    found = {"python": platform.python_version(), "versions": versions, "rounds": arguments.rounds, "cpu_seconds": taken}
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / "bench_startup.json").write_text(json.dumps(found, indent=1))
    store(__file__, [*figures(taken, "s of CPU time"), *over(taken, "import torch")])


if __name__ == "__main__":
    main()
