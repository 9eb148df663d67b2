"""What the commands whose arguments are no settings of Hydra have in common."""

import argparse

from convexp import __version__


def argument_parser(command: str, description: str, epilog: str) -> argparse.ArgumentParser:
    """Return a parser with ``--help``, which keeps the lines of its texts as they are, and ``--version``.

    Args:
        command: The name of the command.
        description: What it does.
        epilog: Examples, and what else stands at the end of the help.
    """
    parser = argparse.ArgumentParser(
        prog=command, description=description, epilog=epilog, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    return parser
