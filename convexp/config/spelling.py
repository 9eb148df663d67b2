"""Values and overrides as Hydra's command line takes them."""

import math
import re
import shlex
from pathlib import Path
from typing import Any

PLAIN = re.compile(r"[A-Za-z_][\w./@%+-]*", re.ASCII)  # what Hydra takes for a text as it is,
WORDS = ("null", "true", "false", "nan", "inf")  # but for these
BARE = r"\${"  # not interpreted
ROOTED = re.compile(r"\.{0,2}/[\w./@%+-]*", re.ASCII)  # paths that it takes as they are, too


def spell(value: Any) -> str:
    """A value as Hydra's command line takes it.

    Raises:
        ValueError: for a number that is not finite, or something that is no plain value.
    """
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int | float):
        if not math.isfinite(value):
            raise ValueError(f"{value} is no value for a setting")
        return repr(value)
    if isinstance(value, str):
        plain = PLAIN.fullmatch(value) and value.lower() not in WORDS
        return value if plain else _quoted(value)
    if isinstance(value, list):
        return f"[{','.join(map(spell, value))}]"
    if isinstance(value, dict):
        return "{" + ",".join(f"{spell(k)}:{spell(v)}" for k, v in value.items()) + "}"
    raise ValueError(f"{value!r} is no value for a setting")


def _quoted(text: str) -> str:
    from hydra.core.override_parser.types import Quote, QuotedString  # a report, which needs it seldom, starts sooner without

    return QuotedString(text, Quote.single).with_quotes()


def override(setting: str, path: Path) -> str:
    """``setting=path``, in which nothing is interpreted."""
    text = str(path)
    return f"{setting}={text}" if ROOTED.fullmatch(text) else f"{setting}={spell(text.replace('${', BARE))}"


def typed(setting: str, path: Path) -> str:
    """``setting=path`` as it can be typed on a command line: quoted for Hydra where it has to be, and for the shell."""
    return shlex.quote(override(setting, path))
