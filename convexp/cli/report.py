"""The command ``convexp-report``: compare all runs below one or several folders."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from convexp.cli.arguments import argument_parser
from convexp.config.user_paths import parse_path
from convexp.errors import ConfigError, ConvexpError
from convexp.terminal import console
from convexp.terminal.streams import lenient_output
from convexp.terminal.words import plural

if TYPE_CHECKING:
    from convexp.reporting.report import Report

DESCRIPTION = """\
Compare all runs below one or several folders: those of a study, of a sweep, or runs started one by one. Runs of several sweeps,
studies or data sets get a part of the report each.

Runs that differ in nothing but the seed are one row: mean and 95 % interval over the seeds. Every row is compared, seed by
seed, with the baseline of the study (study.compare) or else with the first row. A difference is shown if p, corrected for all
comparisons on the metric, is below 0.05, which needs at least three seeds. Runs that failed, were interrupted or have not been
started are listed with the reason. A warning says where runs differ in images, code or hardware although they should not.
"""
EPILOG = """\
files written into DIR, or into --output FOLDER:
  report.html       the whole report as one page with charts, for any browser, without a network
  figures/          the charts as SVG and PNG
  summary.md        the tables as text
  summary.csv       the rows with every metric in full precision
  summary.tex       the rows for a paper
  comparisons.csv   the comparisons
  mean over seeds/  the means for TensorBoard, if DIR holds one study (convexp-dashboard DIR)
  runs.csv          every run with its settings and metrics; in Python: convexp.runs.load("DIR")

examples:
  convexp-report outputs/studies/three_layers
  convexp-report outputs                        all runs, study by study
  convexp-report outputs/studies/three_layers --baseline model=dense
  convexp-report runs1 runs2 --title "Before and after" --output outputs/both
"""


@lenient_output()
def main() -> None:
    """Read the runs below the folders, write the report, and print the comparison."""
    parser = argument_parser("convexp-report", DESCRIPTION, EPILOG)
    parser.add_argument("dirs", metavar="DIR", nargs="+", help="a folder that contains runs, at any depth")
    parser.add_argument("--title", metavar="TEXT", help="title of the report (default: the question of the study)")
    parser.add_argument(
        "--baseline",
        metavar="SETTING=VALUE",
        action="append",
        default=[],
        help="what is compared with, such as model=dense (default: study.compare); may be given several times",
    )
    parser.add_argument("--output", metavar="FOLDER", help="where it is written (default: DIR); needed for several DIRs")
    given = parser.parse_args()
    try:
        roots = [parse_path("DIR", each) for each in given.dirs]
        if len(roots) > 1 and given.output is None:
            raise ConfigError("a report on several folders needs --output FOLDER, the folder that it is written into")
        folder = parse_path("--output", given.output) if given.output is not None else roots[0]
        files = make_report(*roots, output=folder, title=given.title, baselines=given.baseline)
    except ConvexpError as error:
        console.print_error("convexp-report", str(error))
        sys.exit(error.exit_code)
    main_files = [file for file in files if file.parent == folder]
    figures = len(files) - len(main_files)
    rest = f", and {plural(figures, 'file')} in {folder / 'figures'}" if figures else ""
    console.out.print(f"written: {', '.join(map(str, main_files))}{rest}", markup=False)


def make_report(*roots: Path, output: Path, title: str | None = None, baselines: Sequence[str] = ()) -> list[Path]:
    """Write the report of the folders into ``output``, print it, and return the files.

    Raises:
        ConfigError: If a folder cannot be read, a baseline is wrong, or the report cannot be written.
    """
    from convexp.machine.garbage import gc_paused
    from convexp.reporting.render.files import write_report
    from convexp.reporting.render.terminal import print_report
    from convexp.reporting.report import build_report

    try:
        with gc_paused():
            report = build_report(*roots, title=title, baselines=baselines)
            try:
                output.mkdir(parents=True, exist_ok=True)
                files = write_report(report, output)
                if output == report.root or roots == (output,):
                    _update_dashboard(report, report.root)  # that of the only sweep below the folder, if there is one
                return files
            finally:
                print_report(report)  # even if nothing can be written
    except OSError as error:
        raise ConfigError(f"{output}: the report cannot be written there ({error.strerror or error})") from None


def _update_dashboard(report: "Report", folder: Path) -> None:
    """Bring the means for TensorBoard up to date; the report is complete without them."""
    from convexp.board.studies import update_if_one_study

    try:
        update_if_one_study(report, folder)
    except OSError as error:
        console.print_error("convexp-report", f"the means for TensorBoard are as they were before: {error}")


if __name__ == "__main__":
    main()
