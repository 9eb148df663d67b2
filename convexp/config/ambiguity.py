"""Two folders that define the same option: which one is meant is for the user to say, so neither is taken."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from omegaconf import DictConfig

from convexp.config.options import chosen_options
from convexp.config.sources import Source, composed_sources
from convexp.errors import ConfigError


def check_unambiguous(cfg: DictConfig, config_name: str) -> None:
    """Check that every file that ``cfg`` consists of is defined by one source only.

    Args:
        cfg: the configuration, including its node ``hydra``.
        config_name: name of the primary configuration, such as ``train``.

    Raises:
        ConfigError: naming the option and the two that define it.
    """
    sources = composed_sources(cfg)
    if len(sources) < 2:
        return
    for group, option in [("", config_name), *chosen_options(cfg)]:
        for name in _with_bases(sources, Path(group, option)):
            owners = [source.name for source in sources if source.file(name).is_file()]
            if len(owners) > 1:
                shown = f"{group}={option}" if name == Path(group, option) and group else str(name)
                raise ConfigError(f"{shown}: is defined by {owners[0]} and by {owners[1]}; rename one of the two")


def _with_bases(sources: list[Source], name: Path) -> Iterator[Path]:
    """The option ``name`` (group/option), then those of its defaults list that name one file, and theirs."""
    file = next((file for source in sources if (file := source.file(name)).is_file()), None)
    if file is None:  # one of Hydra's own
        return
    yield name
    content: Any = yaml.safe_load(file.read_text(encoding="utf-8")) if name.parent.name else None
    for base in content.get("defaults", []) if isinstance(content, dict) else []:
        if isinstance(base, str) and base != "_self_":
            yield from _with_bases(sources, Path(base[1:]) if base.startswith("/") else name.parent / base)
