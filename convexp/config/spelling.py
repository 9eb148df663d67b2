"""Values and overrides as Hydra's command line takes them."""

import math
import re
from pathlib import Path
from typing import Any

from hydra.core.override_parser.types import Quote, QuotedString

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
        return value if plain else QuotedString(value, Quote.single).with_quotes()
    if isinstance(value, list):
        return f"[{','.join(map(spell, value))}]"
    if isinstance(value, dict):
        return "{" + ",".join(f"{spell(k)}:{spell(v)}" for k, v in value.items()) + "}"
    raise ValueError(f"{value!r} is no value for a setting")


def override(setting: str, path: Path) -> str:
    """``setting=path``, in which nothing is interpreted."""
    text = str(path)
    return f"{setting}={text}" if ROOTED.fullmatch(text) else f"{setting}={spell(text.replace('${', BARE))}"
