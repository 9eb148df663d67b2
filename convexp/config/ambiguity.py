"""Two folders that define the same option: which one is meant is for the user to say, so neither is taken."""

from pathlib import Path

from omegaconf import DictConfig

from convexp.config.options import chosen_options, with_bases
from convexp.config.sources import composed_sources
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
        for name, _ in with_bases(sources, Path(group, option)):
            owners = [source.name for source in sources if source.file(name).is_file()]
            if len(owners) > 1:
                shown = f"{group}={option}" if name == Path(group, option) and group else str(name)
                raise ConfigError(f"{shown}: is defined by {owners[0]} and by {owners[1]}; rename one of the two")
