"""Everything of convexp that a GPU does otherwise, checked and measured by one command.

Each check is a process of its own: an error or a crash in one is a row of the table, and the others go on. First those that are
not timed run side by side, then those that measure, one after another. Rows are printed as they come; after every check
gpu_check.json and gpu_check.md in --out are written anew. Ctrl-C and SIGTERM end the checks that run, too.

The exit code is 1 if a result was wrong or a check failed; a goal of speed that was missed is none of these, nor is what was
left out when --minutes were over. It is 2 if --device cuda was asked for and there is no GPU. Without a GPU all checks run on
the CPU with small cases, Triton in its interpreter.

CHECKS is the plan: by importance, with about what each takes on an H200 (docs/gpu.md). A check for which too little of
--minutes remains is left out, and its row says so.

    python scripts/gpu_check.py                         (--out FOLDER, default outputs/gpu_check)
    python scripts/gpu_check.py --only kernels,speed    (some of the checks)
"""

import argparse
import importlib
import json
import os
import subprocess
import sys
import tempfile
import time
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

from gpu_checks.processes import Check, Processes, end_on_signals, expected_seconds  # noqa: E402  found by the path above
from gpu_checks.rows import BAD, Row, failed, figures  # noqa: E402
from results import circumstances, figure, machine, store  # noqa: E402
from results import command as command_line  # noqa: E402

# By importance, those that are not timed first. The first number was measured on an H200 (docs/gpu.md). Training is last, as it
# leaves out by itself what there is no time for.
CHECKS = (
    Check("kernels", 50, 180, timed=False),
    Check("resume", 50, 200, timed=False),
    Check("runs", 65, 200, timed=False),
    Check("packing", 70, 200, timed=False),
    Check("tiles", 50, 150, timed=False),
    Check("machine", 6, 60),
    Check("speed", 145, 170),
    Check("step", 16, 45),
    Check("graphs", 25, 45),
    Check("replicas", 35, 60),
    Check("sweeps", 50, 120),
    Check("memory", 25, 45),
    Check("data", 12, 45),
    Check("networks", 22, 60),
    Check("training", 100, 200),
)


def main() -> None:
    """Run the checks, write table and JSON, and end with 1 if something was wrong."""
    begun = time.monotonic()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("outputs/gpu_check"), help="folder for table and JSON")
    parser.add_argument("--only", default="", help=f"names with commas between them, of {','.join(c.name for c in CHECKS)}")
    parser.add_argument("--device", choices=("cuda", "cpu"), help="default: the GPU if there is one")
    parser.add_argument("--minutes", type=float, default=9, help="what begins later is left out (default 9)")
    parser.add_argument("--rows", type=Path, help=argparse.SUPPRESS)  # in the process of a check: the file of its rows
    given = parser.parse_args()
    if given.rows is not None:
        check = next(check for check in CHECKS if check.name == given.only)
        run_check(check, given.device, given.rows, min(check.most, 60 * given.minutes))
        return
    wanted = given.only.split(",") if given.only else [check.name for check in CHECKS]
    if unknown := set(wanted) - {check.name for check in CHECKS}:
        parser.error(f"--only: there is no check {', '.join(sorted(unknown))}")
    end_on_signals()
    results = Results(device_of(given.device), given.out, begun)
    results.write()
    chosen = [check for check in CHECKS if check.name in wanted]
    if results.device == "cuda":
        print(plan(chosen, side_by_side(), given.minutes))
    run(chosen, results, begun + 60 * given.minutes)
    print("\n" + results.table())
    store(__file__, [*figures(results.checks), figure("all checks", [time.monotonic() - begun], "s")])
    sys.exit(1 if results.bad() else 0)


def device_of(given: str | None) -> str:
    """The device: the one that was asked for, or the GPU if there is one. Ends the program if there is none as asked for."""
    if given == "cpu":
        return given
    if has_gpu():
        return "cuda"
    if given == "cuda":
        refuse("--device cuda: torch sees no GPU here; --device cpu runs small cases")
    return "cpu"


def has_gpu() -> bool:
    """Whether torch sees a GPU; asked in another process, as this one leaves the GPU to the checks."""
    asked = [sys.executable, "-c", "import torch; print(torch.cuda.is_available())"]
    answer = subprocess.run(asked, capture_output=True, text=True, check=False)
    if answer.returncode:
        refuse(f"torch cannot be imported: {(answer.stderr.strip().splitlines() or ['no word why'])[-1]}")
    return answer.stdout.split()[-1:] == ["True"]


def refuse(why: str) -> NoReturn:
    """End the program with one line and the exit code 2."""
    print(f"{Path(__file__).name}: {why}", file=sys.stderr)
    sys.exit(2)


def side_by_side() -> int:
    """How many of the checks that are not timed run at once."""
    return max(1, (os.cpu_count() or 1) // 4)


def plan(checks: list[Check], workers: int, minutes: float) -> str:
    """What is done in which order, and about how long it takes on an H200."""
    ahead, then = [check for check in checks if not check.timed], [check for check in checks if check.timed]
    lines = [f"{workers} at a time: {listed(ahead)}"] * bool(ahead) + [f"then one by one: {listed(then)}"] * bool(then)
    return "\n".join([*lines, f"about {expected_seconds(checks, workers):.0f} s on an H200, of {60 * minutes:.0f} s"])


def listed(checks: list[Check]) -> str:
    """Checks by name, with about what each takes."""
    return ", ".join(f"{check.name} {check.expected} s" for check in checks)


def run(checks: list[Check], results: "Results", until: float) -> None:
    """Run the checks: those that are not timed side by side, then the others one by one."""
    with tempfile.TemporaryDirectory() as scratch:
        processes = Processes(results.device, Path(scratch), until)
        processes.run([check for check in checks if not check.timed], side_by_side(), results.add)
        processes.run([check for check in checks if check.timed], 1, results.add)


def run_check(check: Check, device: str, file: Path, seconds: float) -> None:
    """Run a check in this process, for at most some seconds: print rows as they come, and write each as a line of JSON."""
    import torch
    from gpu_checks.bench import Bench

    if device == "cpu":
        torch.set_num_threads(1)
    bench = Bench(device, seconds * 0.9, time.monotonic())
    with file.open("w", encoding="utf-8") as lines:

        def say(row: Row) -> None:
            print(f"{check.name:9} {' | '.join(cell for cell in row.cells() if cell)}", flush=True)
            lines.write(json.dumps(row.written()) + "\n")
            lines.flush()

        try:
            for row in importlib.import_module(f"gpu_checks.{check.name}").check(bench):
                say(row)
        except Exception as error:
            say(failed("the rest of the check", f"{type(error).__name__}: {error}", traceback.format_exc()))


class Results:
    """What the checks have found so far, on disk after each of them.

    Args:
        device: ``cuda`` or ``cpu``.
        folder: Where gpu_check.json and gpu_check.md are written.
        begun: When the program began, as ``time.monotonic`` counts.
    """

    def __init__(self, device: str, folder: Path, begun: float) -> None:
        self.device, self.folder, self.begun = device, folder, begun
        self.checks: dict[str, list[Row]] = {}
        self.circumstances = {**circumstances(command_line(__file__, sys.argv[1:])), "machine": machine()}

    def add(self, check: Check, rows: list[Row]) -> None:
        """Add the rows of a check, and write."""
        self.checks[check.name] = rows
        self.write()

    def bad(self) -> list[Row]:
        """The rows that are errors."""
        return [row for rows in self.checks.values() for row in rows if row.outcome in BAD]

    def write(self) -> None:
        """Write table and JSON."""
        self.folder.mkdir(parents=True, exist_ok=True)
        written: dict[str, Any] = {
            **self.circumstances,
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "device": self.device,
            "seconds": round(time.monotonic() - self.begun, 1),
            "checks": {name: [row.written() for row in rows] for name, rows in self.checks.items()},
        }
        (self.folder / "gpu_check.json").write_text(json.dumps(written, indent=1, ensure_ascii=False), encoding="utf-8")
        (self.folder / "gpu_check.md").write_text(self.table(), encoding="utf-8")

    def table(self) -> str:
        """All rows in Markdown, and how many of each outcome there are."""
        lines = ["| check | what | figure | bound | outcome | note |", "| --- | --- | ---: | --- | --- | --- |"]
        outcomes: dict[str, int] = {}
        for name in (check.name for check in CHECKS if check.name in self.checks):
            for row in self.checks[name]:
                outcomes[row.outcome] = outcomes.get(row.outcome, 0) + 1
                lines.append(
                    "| " + " | ".join(" ".join(cell.replace("|", "/").split()) for cell in [name, *row.cells()]) + " |"
                )
        counted = ", ".join(f"{number} {outcome}" for outcome, number in outcomes.items())
        return "\n".join([*lines, "", f"{time.monotonic() - self.begun:.0f} s on {self.device}: {counted}"]) + "\n"


if __name__ == "__main__":
    main()
