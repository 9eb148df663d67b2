"""YAML from untrusted folders: plain values are read, and everything else that YAML can express is refused."""

import re
from pathlib import Path
from typing import Any

import yaml
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

LARGEST = 64 * 1024  # bytes; a configuration has 3,000
DEEPEST = 32  # mappings and lists in each other
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")  # a terminal would act on them, or no file can hold them


def read_limited(file: Path) -> bytes:
    """The content of ``file``, or of a longer file as much as ``parse_yaml`` needs to refuse it."""
    with file.open("rb") as opened:
        return opened.read(LARGEST + 1)


def parse_yaml(content: bytes) -> dict[Any, Any]:
    """Parse the mapping in ``content``; numbers are read as OmegaConf reads them.

    Raises:
        ValueError: If the file holds no mapping, or holds aliases (a few lines of which can stand for gigabytes), tags, text
            that OmegaConf would interpret, control characters, more than 32 levels or more than 64 KiB. The message says which
            of these, and in which line.
    """
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
    """Return what in an event is more than a plain value; None for a plain value."""
    if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
        return "has an alias or an anchor"
    if getattr(event, "tag", None) is not None:
        return "has a tag"
    value = getattr(event, "value", "")
    if "${" in value:
        return "holds ${, which would be interpreted"
    return "holds control characters" if CONTROL.search(value) else None
