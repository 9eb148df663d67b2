"""convexp-report: the table and the picture of all runs below a folder."""

import argparse
import sys
from pathlib import Path

from convexp import console
from convexp.errors import ConvexpError
from convexp.reporting.summary import show, summarise, write


def main() -> None:
    """Read the runs below DIR, print the comparison, write ``summary.{md,csv,png}`` there."""
    parser = argparse.ArgumentParser(
        prog="convexp-report",
        description="Compare all runs below a folder: runs that differ in the seed alone are averaged, "
        "the rest makes the rows of one table, which is printed and written to DIR/summary.md, .csv and .png.",
        epilog="example: convexp-report outputs/studies/three_layers",
    )
    parser.add_argument("dir", type=Path, metavar="DIR", help="a study, a sweep, or any folder that runs lie in")
    folder: Path = parser.parse_args().dir
    try:
        summary = summarise(folder)
        files = write(summary, folder)
    except ConvexpError as error:
        console.complain("convexp-report", str(error))
        sys.exit(error.exit_code)
    show(summary)
    console.out.print("written: " + ", ".join(str(file) for file in files), markup=False)


if __name__ == "__main__":
    main()
