"""YAML that anybody may have written: plain values are read, and everything else YAML can do is refused before it is done."""

import re
from pathlib import Path
from typing import Any

import yaml
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

LARGEST = 64 * 1024  # bytes; a configuration has 3,000
DEEPEST = 32  # mappings and lists in each other
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")  # what a terminal would obey, or no file can hold


def read_yaml(file: Path) -> dict[Any, Any]:
    """The mapping in ``file``, numbers read as OmegaConf reads them.

    Raises:
        OSError: if it cannot be read.
        ValueError: if it is no mapping, or has aliases (a few lines of which can stand for gigabytes), tags, text that
            OmegaConf would interpret, control characters, more than 32 levels or 64 KiB; the message says which, and where.
    """
    with file.open("rb") as opened:
        content = opened.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise ValueError(f"has more than {LARGEST // 1024} KiB")
    text = content.decode()
    try:
        _check(text)
        found = OmegaConf.to_container(OmegaConf.create(text), resolve=False)
    except (yaml.YAMLError, OmegaConfBaseException) as error:
        raise ValueError(f"is no YAML ({type(error).__name__})") from None
    if not isinstance(found, dict):
        raise ValueError("is no mapping")
    return found


def _check(text: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        wrong = "is nested too deep" if depth > DEEPEST else _wrong(event)
        if wrong:
            raise ValueError(f"line {event.start_mark.line + 1} {wrong}")


def _wrong(event: Any) -> str | None:
    """What a plain value does not have."""
    if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
        return "has an alias or an anchor"
    if getattr(event, "tag", None) is not None:
        return "has a tag"
    value = getattr(event, "value", "")
    if "${" in value:
        return "holds ${, which would be interpreted"
    return "holds control characters" if CONTROL.search(value) else None
