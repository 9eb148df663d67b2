"""What Hydra calls before it makes a folder: what is wrong is said then, and nothing has to be removed."""

from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from convexp.app import mistakes_in_one_line
from convexp.config import load
from convexp.config.folders import check_folder
from convexp.config.hydra_values import hydra_values, without_hydra
from convexp.errors import ConfigError


class CheckTraining(Callback):
    """Of convexp-train (conf/train.yaml). Errors end the program: Hydra would make warnings of them and go on."""

    def on_run_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Called by Hydra before a single run."""
        with mistakes_in_one_line("convexp-train", "train"), hydra_values(config):
            if config.get("resume") is None:  # else the run has settings of its own
                load(without_hydra(config))
            check_folder("hydra.run.dir", config.hydra.run.dir)
            _check_output_subdir(config)

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Called by Hydra before a sweep, by whichever sweeper."""
        with mistakes_in_one_line("convexp-train", "train"), hydra_values(config):
            check_folder("hydra.sweep.dir", config.hydra.sweep.dir)
            _check_output_subdir(config)
            if "resume" in _given(config):
                raise ConfigError("resume: goes on with one run, without -m; a sweep that is started again goes on by itself")


class CheckEvaluation(Callback):
    """Of convexp-eval (conf/eval.yaml)."""

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Called by Hydra for ``-m``."""
        with mistakes_in_one_line("convexp-eval", "eval"):
            raise ConfigError("-m: convexp-eval tests one run, run=DIR; call it once for each")


def _check_output_subdir(config: DictConfig) -> None:
    if config.hydra.output_subdir is not None:
        raise ConfigError(f"hydra.output_subdir={config.hydra.output_subdir}: should be null, as convexp writes .hydra itself")


def _given(config: DictConfig) -> set[str]:
    """What the command line sets."""
    parser = OverridesParser.create()
    return {parser.parse_override(text).key_or_group for text in config.hydra.overrides.task}
