"""convexp-report: what came out of all runs below a folder."""

import argparse
import sys
from pathlib import Path

from convexp import __version__
from convexp.config.places import path
from convexp.errors import ConfigError, ConvexpError
from convexp.terminal import console
from convexp.terminal.streams import lenient_output

DESCRIPTION = """\
Compare all runs below a folder, whatever made them: a study, a sweep, or runs started one by one.

Runs that differ in nothing but the seed are one row: mean and 95 % interval over the seeds. Every row is compared with the
baseline of the study (study.compare), or with the first row, seed by seed; a difference counts as shown if p, corrected for
all comparisons on that metric, is below 0.05; it takes three seeds at least. Runs that failed, were interrupted or have not
been started are listed with the reason, and so is what is not alike and should be: images, code, hardware.
"""
EPILOG = """\
written into DIR:
  report.html       all of it as one page, with charts; opens in any browser, without a network
  figures/          the charts as SVG and PNG
  summary.md .csv .tex   the rows, as text, with every metric in full precision, and for a paper
  comparisons.csv   the comparisons
  runs.csv          every run with its settings and metrics; in Python: convexp.runs.load("DIR")

examples:
  convexp-report outputs/studies/three_layers
  convexp-report outputs                        every run there is
"""


@lenient_output()
def main() -> None:
    """Read the runs below DIR, write the report there, print the comparison."""
    parser = argparse.ArgumentParser(
        prog="convexp-report", description=DESCRIPTION, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    parser.add_argument("dir", metavar="DIR", help="a folder that runs lie in, at any depth")
    given = parser.parse_args()
    try:
        folder = path("DIR", given.dir)
        files = make(folder)
    except ConvexpError as error:
        console.complain("convexp-report", str(error))
        sys.exit(error.exit_code)
    brief = [file for file in files if file.parent == folder]
    more = f", and {len(files) - len(brief)} charts" if len(files) > len(brief) else ""
    console.out.print(f"written: {', '.join(str(file) for file in brief)}{more}", markup=False)


def make(folder: Path) -> list[Path]:
    """Write and show the report of ``folder``; returns the files.

    Raises:
        ConfigError: if it cannot be read, or written.
    """
    from convexp.records.index import all_kept
    from convexp.reporting.render.output import show, write
    from convexp.reporting.report import report

    try:
        with all_kept():
            found = report(folder)
            try:
                return write(found, folder)
            finally:
                show(found)  # also where nothing can be written
    except OSError as error:
        raise ConfigError(f"{folder}: the report cannot be written there ({error.strerror or error})") from None


if __name__ == "__main__":
    main()
