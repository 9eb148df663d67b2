"""Values and overrides in the syntax of Hydra's command line."""

import math
import re
import shlex
from pathlib import Path
from typing import Any

UNQUOTED = re.compile(r"[A-Za-z_][\w./@%+-]*", re.ASCII)  # texts that Hydra takes as they are,
KEYWORDS = ("null", "true", "false", "nan", "inf")  # except for these
UNQUOTED_PATH = re.compile(r"\.{0,2}/[\w./@%+-]*", re.ASCII)  # paths that it takes as they are, too
LITERAL_INTERPOLATION = r"\${"  # stands for a "${" that Hydra does not interpret


def format_value(value: Any) -> str:
    """The value as it is written on Hydra's command line.

    Raises:
        ValueError: for a number that is not finite, or if the value is not made of plain values.
    """
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int | float):
        if not math.isfinite(value):
            raise ValueError(f"{value} is no value for a setting")
        return repr(value)
    if isinstance(value, str):
        unquoted = UNQUOTED.fullmatch(value) and value.lower() not in KEYWORDS
        return value if unquoted else _quote(value)
    if isinstance(value, list):
        return f"[{','.join(map(format_value, value))}]"
    if isinstance(value, dict):
        return "{" + ",".join(f"{format_value(k)}:{format_value(v)}" for k, v in value.items()) + "}"
    raise ValueError(f"{value!r} is no value for a setting")


def _quote(text: str) -> str:
    from hydra.core.override_parser.types import Quote, QuotedString  # not at the top: most reports need no Hydra

    return QuotedString(text, Quote.single).with_quotes()


def format_path_override(setting: str, path: Path) -> str:
    """The override ``setting=path`` for Hydra, with nothing in the path left to interpret."""
    text = str(path)
    if UNQUOTED_PATH.fullmatch(text):
        return f"{setting}={text}"
    return f"{setting}={format_value(text.replace('${', LITERAL_INTERPOLATION))}"


def shell_path_override(setting: str, path: Path) -> str:
    """The override ``setting=path`` as a user can type it in a shell: quoted for Hydra where needed, then for the shell."""
    return shlex.quote(format_path_override(setting, path))
