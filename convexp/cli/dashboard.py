"""The command ``convexp-dashboard``: a study in TensorBoard, with means over seeds."""

import sys
import time
from pathlib import Path

from convexp.cli.arguments import argument_parser
from convexp.config.user_paths import parse_path
from convexp.errors import ConfigError, ConvexpError
from convexp.terminal import console
from convexp.terminal.streams import lenient_output

DESCRIPTION = """\
Open a study in TensorBoard, on this machine only (127.0.0.1), and print an address for each view.

TensorBoard shows every run by itself. So this command first writes, beside the runs, the means over seeds with 95 % intervals,
which are those of the report: accuracy by distance of the shift, by each numeric setting of the study, by number of parameters,
and by epoch. The tab CUSTOM SCALARS draws them as lines in bands, TEXT has the question, the table and the verdicts, IMAGES the
charts of the report. A sweep keeps them up to date while it runs. Ctrl-C ends the dashboard.
"""
EPILOG = """\
files written into the folder of each study (they may be removed at any time):
  mean over seeds/                     a folder for each configuration
  events.out.tfevents.<number>.front   the front page

examples:
  convexp-dashboard outputs/studies/three_layers
  convexp-dashboard outputs                         all studies below it
  convexp-dashboard outputs --port 0                on any port that is free
  ssh -L 6006:127.0.0.1:6006 HOST                   to look at one that runs on another machine
"""
PORT = 6006
MAX_NAMED = 10  # studies


@lenient_output()
def main() -> None:
    """Bring the dashboards below DIR up to date, and serve them until Ctrl-C."""
    parser = argument_parser("convexp-dashboard", DESCRIPTION, EPILOG)
    parser.add_argument("dir", metavar="DIR", help="the folder of a study, or one that studies lie in, at any depth")
    parser.add_argument("--port", type=int, default=PORT, help=f"port on 127.0.0.1, 0 for any that is free (default: {PORT})")
    given = parser.parse_args()
    try:
        show(given.dir, given.port)
    except ConvexpError as error:
        console.print_error("convexp-dashboard", str(error))
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        console.out.print("dashboard closed")


def show(given: str, port: int) -> None:
    """Bring the dashboards below a folder up to date, print the addresses, and serve until Ctrl-C.

    Args:
        given: The folder, as it was typed.
        port: The port; 0 for any that is free.

    Raises:
        ConfigError: If the folder cannot be read, holds no runs, or the port is in use.
        KeyboardInterrupt: At the end.
    """
    from convexp.board.links import links
    from convexp.board.server import check_free, serve
    from convexp.records.index import check_readable, run_folders

    root = parse_path("DIR", given)
    check_readable(root)
    check_free(port)
    if next(run_folders(root), None) is None:
        raise ConfigError(f"{root}: there are no runs of convexp in this folder; name one that runs lie in")
    update(root)
    address = serve(root, port)
    console.out.print(f"TensorBoard shows {console.display_path(root)} at {address} (Ctrl-C ends it)", markup=False)
    for title, link in links(address).items():
        console.out.print(f"  {title}:\n    {link}", markup=False)
    while True:
        time.sleep(3600)


def update(root: Path) -> None:
    """Bring the dashboards below a folder up to date, and say of which studies that worked."""
    from convexp.board.studies import update_studies
    from convexp.terminal.words import plural

    named = left_out = 0
    for study, configurations, problem in update_studies(root):
        if problem:
            console.print_error("convexp-dashboard", f"{study}: {problem}; its means over seeds are as they were before")
        elif named < MAX_NAMED:
            named += 1
            means = f"means over seeds of {plural(configurations, 'configuration')}"
            console.out.print(f"{console.display_path(study)}: {means}", markup=False)
        else:
            left_out += 1
    if left_out:
        console.out.print(f"and {left_out:,} more", markup=False)


if __name__ == "__main__":
    main()
