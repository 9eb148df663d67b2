"""A configuration without a command line: for scripts, notebooks and tests."""

from hydra import compose, initialize_config_dir

from convexp.config.check import load
from convexp.config.paths import conf_dir
from convexp.config.schema import Config


def composed(*overrides: str) -> Config:
    """What ``convexp-train`` would do with these overrides.

    Raises:
        ConfigError: naming the setting that is wrong.
    """
    with initialize_config_dir(conf_dir(), version_base="1.3"):
        return load(compose("train", list(overrides)))
