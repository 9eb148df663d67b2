"""What commands print for ``--help``; as a program it prints that as JSON: help_texts.py '{"NAME": "module:function", ...}'.

In a process of its own, for all commands together: Hydra keeps a state in the process, and imports take seconds.
"""

import io
import json
import sys
from collections.abc import Mapping
from contextlib import redirect_stdout, suppress
from importlib import import_module


def help_texts(commands: Mapping[str, str]) -> dict[str, str]:
    """What each command prints for ``--help``.

    Args:
        commands: Names of commands, each with its ``module:function``.
    """
    return {name: _help_text(name, target) for name, target in commands.items()}


def _help_text(name: str, target: str) -> str:
    module, _, function = target.partition(":")
    before, sys.argv = sys.argv, [name, "--help"]
    try:
        with redirect_stdout(io.StringIO()) as printed, suppress(SystemExit):
            getattr(import_module(module), function)()
    finally:
        sys.argv = before
    return printed.getvalue().rstrip()


if __name__ == "__main__":
    json.dump(help_texts(json.loads(sys.argv[1])), sys.stdout)
