"""The command ``convexp-diff``: in what two runs differ, and what that did to their results."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from convexp.cli.arguments import argument_parser
from convexp.config.user_paths import parse_path
from convexp.errors import ConfigError, ConvexpError
from convexp.terminal import console
from convexp.terminal.streams import lenient_output

if TYPE_CHECKING:
    from convexp.records import RunRecord

DESCRIPTION = """\
Say in what two runs differ, and what that did to their results.

Compared are all settings; the data (checksum, split, sizes); the code (git commit, uncommitted changes); the versions of
packages; the hardware; the network with its layers; every metric, those of probes included, with the difference; the training
curves, how many of their epochs are equal to the bit; and the times. What is the same is not shown. Settings in dim letters
change no result. Runs may be unfinished, failed, or of an older convexp. Nothing is written, and nothing that a folder holds is
executed.
"""
EPILOG = """\
examples:
  convexp-diff outputs/studies/three_layers/conv-readout_{flatten-stride2,global_max-stride1}-seed0
  convexp-diff outputs/runs/A outputs/runs/B --json     for a program, with all numbers in full

exit code: 0, also if the runs differ; 2 if a folder holds no run that can be read
To compare the groups of a study or of several folders, with intervals: convexp-report DIR
"""


@lenient_output()
def main() -> None:
    """Print in what RUN_A and RUN_B differ."""
    given = read_arguments(sys.argv[1:])
    try:
        show(given.run_a, given.run_b, as_json=given.json)
    except ConvexpError as error:
        console.print_error("convexp-diff", str(error))
        sys.exit(error.exit_code)


def read_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """Parse the arguments of the command; ends the program if they are wrong, or ask for help."""
    parser = argument_parser("convexp-diff", DESCRIPTION, EPILOG)
    parser.add_argument("run_a", metavar="RUN_A", help="the folder of a run, the one that holds result.json")
    parser.add_argument("run_b", metavar="RUN_B", help="the folder of another run")
    parser.add_argument("--json", action="store_true", help="print JSON: all differences in full precision")
    return parser.parse_args(arguments)


def show(given_a: str, given_b: str, as_json: bool) -> None:
    """Print in what two runs differ.

    Args:
        given_a: The folder of the first run, as it was typed.
        given_b: The folder of the second run.
        as_json: Whether to print JSON.

    Raises:
        ConfigError: If a folder holds no run, or its record cannot be read.
    """
    from convexp.reporting.difference.difference import compare_runs

    folders = parse_path("RUN_A", given_a), parse_path("RUN_B", given_b)
    a, b = _load("RUN_A", folders[0]), _load("RUN_B", folders[1])
    found = compare_runs(a, b, folders)
    if as_json:
        import msgspec

        sys.stdout.write(msgspec.json.format(msgspec.json.encode(found)).decode() + "\n")
        return
    from rich.console import Console

    from convexp.reporting.difference.text import render

    Console(highlight=False, emoji=False).print(render(found))


def _load(name: str, folder: Path) -> "RunRecord":
    """The record of the run in a folder.

    Raises:
        ConfigError: If there is none, or it is damaged or of a newer version.
    """
    from convexp.records.damage import DamagedError
    from convexp.records.index import check_readable, run_folders
    from convexp.records.record_file import FILE, load_record

    check_readable(folder)
    if not (folder / FILE).exists():
        run = next(run_folders(folder), None)
        if run is not None and run != folder:
            raise ConfigError(
                f"{name}={folder}: holds many runs; name one, such as {run}, or compare all: convexp-report {folder}"
            )
    try:
        return load_record(folder)
    except (DamagedError, ConvexpError) as error:  # the second: of a newer version
        raise ConfigError(f"{name}={folder}: holds no run that can be read: {error}") from None


if __name__ == "__main__":
    main()
