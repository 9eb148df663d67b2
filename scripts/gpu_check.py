"""Everything of convexp that a GPU does otherwise, checked and measured in under ten minutes on one card.

Each check is a process of its own: an error or a crash in one is a row of the table, and the others go on. First those that are
not timed run side by side, then those that measure, one after another. Rows are printed as they come; after every check
gpu_check.json and gpu_check.md in --out are written anew. The exit code is 1 if a result was wrong or a check failed; a goal of
speed that was missed is none of these. Without a GPU all checks run on the CPU with small cases, Triton in its interpreter.

    python scripts/gpu_check.py                         (--out FOLDER, default outputs/gpu_check)
    python scripts/gpu_check.py --only kernels,speed    (some of the checks)
"""

import argparse
import importlib
import importlib.util
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

from gpu_checks.rows import BAD, SECONDS, Row, failed, figures  # noqa: E402  found by the path above
from results import command as command_line  # noqa: E402
from results import store  # noqa: E402

SHORTEST = 5.0  # seconds that a check is begun with


@dataclass(frozen=True)
class Check:
    """A module of ``gpu_checks``.

    Attributes:
        name: Its name.
        seconds: How long it may take.
        timed: Whether it measures time, so that nothing may run beside it.
    """

    name: str
    seconds: int
    timed: bool = True


CHECKS = (
    Check("kernels", 180, timed=False),
    Check("tiles", 150, timed=False),
    Check("resume", 200, timed=False),
    Check("packing", 200, timed=False),
    Check("runs", 200, timed=False),
    Check("machine", 60),
    Check("speed", 170),
    Check("step", 45),
    Check("graphs", 45),
    Check("training", 120),
    Check("data", 45),
    Check("replicas", 60),
    Check("memory", 45),
    Check("networks", 60),
)


def main() -> None:
    """Run the checks, write table and JSON, and end with 1 if something was wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("outputs/gpu_check"), help="folder for table and JSON")
    parser.add_argument("--only", default="", help=f"names with commas between them, of {','.join(c.name for c in CHECKS)}")
    parser.add_argument("--device", choices=("cuda", "cpu"), help="default: the GPU if there is one")
    parser.add_argument("--minutes", type=float, default=9.5, help="what begins later is left out (default 9.5)")
    parser.add_argument("--rows", type=Path, help=argparse.SUPPRESS)  # in the process of a check: the file of its rows
    given = parser.parse_args()
    device = given.device or ("cuda" if has_gpu() else "cpu")
    if given.rows is not None:
        run_check(next(check for check in CHECKS if check.name == given.only), device, given.rows)
        return
    wanted = given.only.split(",") if given.only else [check.name for check in CHECKS]
    if unknown := set(wanted) - {check.name for check in CHECKS}:
        parser.error(f"--only: there is no check {', '.join(sorted(unknown))}")
    results = Results(device, given.out)
    results.write()
    until = time.monotonic() + 60 * given.minutes
    chosen = [check for check in CHECKS if check.name in wanted]
    with tempfile.TemporaryDirectory() as scratch:
        with ThreadPoolExecutor(max(1, (os.cpu_count() or 1) // 4)) as pool:
            beside = [check for check in chosen if not check.timed]
            list(pool.map(lambda check: results.add(check, in_process(check, device, Path(scratch), until)), beside))
        for check in chosen:
            if check.timed:
                results.add(check, in_process(check, device, Path(scratch), until))
    print("\n" + results.table())
    store(__file__, figures(results.checks))
    sys.exit(1 if results.bad() else 0)


def has_gpu() -> bool:
    """Whether torch sees a GPU; asked in another process, as this one leaves the GPU to the checks."""
    asked = [sys.executable, "-c", "import torch; print(torch.cuda.is_available())"]
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip() == "True"


def in_process(check: Check, device: str, scratch: Path, until: float) -> list[Row]:
    """The rows of a check that runs in a process of its own; the last says so if it failed or took too long."""
    seconds = min(check.seconds if device == "cuda" else 4 * check.seconds, until - time.monotonic())
    if seconds < SHORTEST:
        return [failed("not run", "the time of all checks was over")]
    file = scratch / f"{check.name}.jsonl"
    command = [sys.executable, __file__, "--only", check.name, "--device", device, "--rows", str(file)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([*sys.path[:2], os.environ.get("PYTHONPATH", "")])}
    if device == "cpu":
        environment |= {"TRITON_INTERPRET": "1"} if check.name == "kernels" else {}
    begun = time.monotonic()
    with subprocess.Popen(command, env=environment, start_new_session=True) as process:
        try:
            code, why = process.wait(seconds), ""
        except subprocess.TimeoutExpired:
            code, why = -1, f"took more than {seconds:.0f} s and was stopped"
        with suppress(ProcessLookupError):  # with all that it started
            os.killpg(process.pid, signal.SIGKILL)
    rows = [Row(**json.loads(line)) for line in file.read_text().splitlines()] if file.exists() else []
    if code:
        rows.append(failed("the whole check", why or f"its process ended with {code}"))
    return [*rows, Row(SECONDS, "measured", time.monotonic() - begun, "s", n=1)]


def run_check(check: Check, device: str, file: Path) -> None:
    """Run a check in this process: print its rows as they come, and write each as a line of JSON."""
    import torch
    from gpu_checks.bench import Bench

    if device == "cpu":
        torch.set_num_threads(1)
    bench = Bench(device, check.seconds * 0.9, time.monotonic())
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
    """

    def __init__(self, device: str, folder: Path) -> None:
        self.device, self.folder = device, folder
        self.checks: dict[str, list[Row]] = {}
        self.begun = time.monotonic()

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
            "command": command_line(__file__, sys.argv[1:]),
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
