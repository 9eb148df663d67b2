"""A configuration without a command line: for scripts, notebooks and tests."""

from hydra import compose

from convexp.config.check import load
from convexp.config.groups import chosen
from convexp.config.hydra_values import hydra_of_its_own, hydra_values, without_hydra
from convexp.config.schema import Config


def composed(*overrides: str) -> Config:
    """What ``convexp-train`` would do with these overrides; in another Hydra application or a notebook, too.

    Raises:
        ConfigError: naming the setting that is wrong.
    """
    with hydra_of_its_own():
        cfg = compose("train", list(map(chosen, overrides)), return_hydra_config=True)
        with hydra_values(cfg):
            return load(without_hydra(cfg))
