"""What a sweep and its report cost at 10,000 and 100,000 runs: planning, starting again, loading, reporting, and each run.

    python scripts/bench_scale.py [--planned 10000] [--runs 100000] [--rounds 3]

Fabricates runs in a temporary folder (1.6 GB for 100,000), then measures, each in a process of its own and in turns:

- plan: ``convexp-train -m`` up to the launch of the first run, with 100 seeds, and with another value of a setting in each run
- again: the whole command when all runs are finished, its report included
- load: ``convexp.runs.load``, cold (without an index) and warm; beside it the floor, a loop that asks for the state of every
  ``result.json`` and reads the bytes of the index
- report: ``convexp-report``; beside it the floor, a loop that reads and parses every ``result.json``
- each run: what a run reads of the plan of its sweep

CPU seconds of the process and its children, which vary less than wall seconds on a shared machine; peak memory of the process.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from bench_report import fabricate, result
from results import figure, figures, store

PLAN = """
import sys
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.types import RunMode
from convexp.config import conf_dir
from convexp.config.hydra_context import hydra_values
from convexp.studies.sweep import sweep

class Launcher:
    def launch(self, overrides, initial_job_idx):
        return []

root, *arguments = sys.argv[1:]
with initialize_config_dir(conf_dir(), "app", version_base="1.3"):
    loader = GlobalHydra.instance().hydra.config_loader
    cfg = loader.load_configuration("train", [*arguments, f"hydra.sweep.dir={root}", "hydra.mode=MULTIRUN"], RunMode.MULTIRUN)
    with hydra_values(cfg):
        sweep(cfg, loader, Launcher(), arguments)
"""
LOAD = "import sys; from convexp.runs import load; print(len(load(sys.argv[1])))"
STATES = """
import os, sys
from pathlib import Path
for folder in os.scandir(sys.argv[1]):
    for run in os.scandir(folder) if folder.name.isdigit() else ():
        os.stat(run.path + "/result.json")
len(Path(sys.argv[1], ".runs.index").read_bytes())
"""
PARSE = """
import json, os, sys
for folder in os.scandir(sys.argv[1]):
    for run in os.scandir(folder) if folder.name.isdigit() else ():
        with open(run.path + "/result.json", "rb") as file:
            json.loads(file.read())
"""
EACH = """
import sys, time
from pathlib import Path
from convexp.records.plan_part import find_sweep
folder, start = Path(sys.argv[1], sys.argv[2]), time.process_time()
for _ in range(100):
    found = find_sweep(folder, int(sys.argv[3]))
print((time.process_time() - start) * 10, found.plan.number)
"""
GOALS = {
    "plan, 100 seeds": "20 s, 1 GB",
    "plan, all different": "20 s, 1 GB",
    "again": "5 s",
    "load, warm": "5 s, 1 GB",
    "report": "60 s",
}


def measured(command: list[str]) -> tuple[float, float, float]:
    """CPU seconds, wall seconds and peak MiB of a process."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env={**os.environ, "OMP_NUM_THREADS": "1"})
    _, status, used = os.wait4(process.pid, 0)
    assert status == 0, command
    return used.ru_utime + used.ru_stime, time.perf_counter() - start, used.ru_maxrss / 1024


def python(code: str, *arguments: str) -> list[str]:
    """The command that runs code."""
    return [sys.executable, "-c", code, *arguments]


def finish(root: Path) -> None:
    """Give every planned run of a sweep a result, as if it had finished an hour ago."""
    for number, run in enumerate(json.loads((root / "study.json").read_text())["runs"]):
        point = run["point"]
        made = result(point["model"], point["optimizer.lr"], point.get("seed", 0), number) | {"identity": run["identity"]}
        (root / run["folder"]).mkdir()
        (root / run["folder"] / "result.json").write_text(json.dumps(made, indent=1))


def grids(planned: int) -> dict[str, list[str]]:
    """Command lines of so many runs each."""
    seeds = min(100, planned // 2)
    return {
        "plan, 100 seeds": ["model=conv,local", f"optimizer.lr=range(1,{planned // 2 // seeds + 1})", f"seed=range({seeds})"],
        "plan, all different": ["model=conv,local", f"optimizer.lr=range(1,{planned // 2 + 1})"],
    }


def main() -> None:
    """Fabricate, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--planned", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    found: dict[str, list[tuple[float, float, float]]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        sweep, many = Path(temporary, "sweep"), Path(temporary, "many")
        lines = grids(options.planned)
        subprocess.run(python(PLAN, str(sweep), *lines["plan, 100 seeds"]), check=True, stdout=subprocess.DEVNULL)
        finish(sweep)
        fabricate(many, options.runs, seeds=100)
        time.sleep(3)  # only files that have not been written just now are indexed
        again = ["-m", "convexp.cli.train", "-m", *lines["plan, 100 seeds"], f"hydra.sweep.dir={sweep}"]
        for turn in range(options.rounds):
            commands = {
                **{name: python(PLAN, f"{temporary}/plan-{turn}-{i}", *line) for i, (name, line) in enumerate(lines.items())},
                "again": [sys.executable, *again],
                "load, cold": python(LOAD, str(many)),
                "load, warm": python(LOAD, str(many)),
                "floor of load": python(STATES, str(many)),
                "report": [sys.executable, "-m", "convexp.cli.report", str(many)],
                "floor of report": python(PARSE, str(many)),
            }
            (many / ".runs.index").unlink(missing_ok=True)
            for name, command in commands.items():
                found.setdefault(name, []).append(measured(command))
        print(f"plan, again: {options.planned:,} runs; load, report: {options.runs:,} runs; n = {options.rounds}")
        print(f"{'':20} {'CPU s':>22} {'wall s':>22} {'MiB':>6}  goal")
        for name, values in found.items():
            cpu, wall, memory = zip(*values, strict=True)
            print(f"{name:20} {_range(cpu):>22} {_range(wall):>22} {max(memory):6.0f}  {GOALS.get(name, '')}")
        plan = json.loads((sweep / "study.json").read_text())["runs"]
        last = len(plan) - 1
        each = subprocess.run(
            python(EACH, str(sweep), plan[last]["folder"], str(last)), check=True, stdout=subprocess.PIPE, text=True
        ).stdout.split()
        cpu_seconds = {name: [cpu for cpu, _, _ in values] for name, values in found.items()}
        store(__file__, [*figures(cpu_seconds, "s of CPU time"), figure("each run", [float(each[0])], "ms of CPU time")])
        print(f"each run: {float(each[0]):.2f} ms of CPU for its part of a plan of {len(plan):,} runs (mean of 100 times)")


def _range(values: tuple[float, ...]) -> str:
    return f"{median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


if __name__ == "__main__":
    main()
