"""The command ``convexp-status``: what runs, waits and has ended below a folder."""

import sys
import time
from datetime import datetime
from typing import TYPE_CHECKING

from convexp.cli.arguments import argument_parser
from convexp.config.user_paths import parse_path
from convexp.errors import ConfigError, ConvexpError
from convexp.terminal import console
from convexp.terminal.streams import lenient_output

if TYPE_CHECKING:
    from rich.console import Console

    from convexp.studies.overview.overview import Overviews

DESCRIPTION = """\
Show how far the runs below a folder are: how many are finished, running, waiting, interrupted or failed, when all will be
done if it goes on like this, which machine and engine does which run, and the last line of each error.

Nothing is written, so it works from any machine that sees the folder, also while other machines are at work in it. Whether a
process of another machine still lives is told by watching its lease, not by clocks: a first look says that it is not known,
--watch finds out (docs/shared_file_systems.md).
"""
EPILOG = """\
examples:
  convexp-status outputs/studies/three_layers
  convexp-status outputs/studies/three_layers --watch    until all has ended, or Ctrl-C
  convexp-status outputs --json                          for a program
"""
PAUSE = 2.0  # seconds between two looks
SHARE = 10  # and at least this many times as long as a look takes


@lenient_output()
def main() -> None:
    """Print how far the runs below DIR are."""
    parser = argument_parser("convexp-status", DESCRIPTION, EPILOG)
    parser.add_argument("dir", metavar="DIR", help="a folder that contains runs, at any depth; mostly that of a sweep")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--watch", action="store_true", help="go on looking, until nothing runs or waits any more")
    how.add_argument("--json", action="store_true", help="print JSON; times in seconds")
    given = parser.parse_args()
    try:
        show(given.dir, watch=given.watch, as_json=given.json)
    except ConvexpError as error:
        console.print_error("convexp-status", str(error))
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)


def show(given: str, watch: bool, as_json: bool) -> None:
    """Print the overview of a folder.

    Args:
        given: The folder, as it was typed.
        watch: Whether to go on until nothing runs or waits any more.
        as_json: Whether to print JSON.

    Raises:
        ConfigError: If the folder cannot be read, or there is no run in it.
        ConvexpError: If a newer version of convexp wrote a plan.
    """
    from convexp.records.index import check_readable
    from convexp.studies.overview.holders import Holders
    from convexp.studies.overview.overview import Overviews

    root = parse_path("DIR", given)
    check_readable(root)
    overviews = Overviews(root, Holders())
    found = overviews.look()
    if not found.runs:
        raise ConfigError(f"{root}: there are no runs of convexp in this folder; name one that runs lie in")
    if as_json:
        import msgspec

        sys.stdout.write(msgspec.json.format(msgspec.json.encode(found)).decode() + "\n")
    elif watch:
        _watch(overviews)
    else:
        from convexp.studies.overview.text import render

        _terminal().print(render(found, datetime.now().astimezone()), crop=False)


def _terminal() -> "Console":
    """A console that wraps lines between words, also while they are updated."""
    from rich.console import Console

    return Console(highlight=False, emoji=False)


def _watch(overviews: "Overviews") -> None:
    from rich.live import Live

    from convexp.studies.overview.text import render

    with Live(console=_terminal(), auto_refresh=False) as live:
        while True:
            start = time.monotonic()
            found = overviews.look()
            live.update(render(found, datetime.now().astimezone()), refresh=True)
            if found.is_over:
                return
            time.sleep(max(PAUSE, SHARE * (time.monotonic() - start)))


if __name__ == "__main__":
    main()
