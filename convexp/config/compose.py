"""A checked configuration without a command line: for scripts, notebooks and tests."""

from hydra import compose

from convexp.config.ambiguity import check_unambiguous
from convexp.config.command_line.groups import normalize_choice
from convexp.config.hydra_context import hydra_values, isolated_hydra, without_hydra
from convexp.config.load import load_config
from convexp.config.schema import Config


def compose_config(*overrides: str) -> Config:
    """The configuration that ``convexp-train`` would use with these overrides.

    It can be called within another Hydra application and in a notebook, too::

        config = compose_config("model=local", "data=mnist", "trainer.max_epochs=1")

    Raises:
        ConfigError: naming the setting that is wrong.
    """
    with isolated_hydra():
        cfg = compose("train", [normalize_choice(override) for override in overrides], return_hydra_config=True)
        with hydra_values(cfg):
            check_unambiguous(cfg, "train")
            return load_config(without_hydra(cfg))
