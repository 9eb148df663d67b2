"""What Hydra calls before it makes a folder: what is wrong is said then, and nothing has to be removed."""

from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.experimental.callback import Callback
from omegaconf import DictConfig, read_write

from convexp.cli.application import mistakes_in_one_line
from convexp.cli.resume import resumed
from convexp.config import load
from convexp.config.folders import check_folder, check_makable, make, origin
from convexp.config.hydra_values import hydra_values, without_hydra
from convexp.config.places import path
from convexp.config.spelling import override
from convexp.errors import ConfigError


class CheckTraining(Callback):
    """Of convexp-train (conf/train.yaml). Errors end the program: Hydra would make warnings of them and go on."""

    def on_run_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Called by Hydra before a single run: check its settings and make its folder."""
        with mistakes_in_one_line("convexp-train", "train"), hydra_values(config):
            _check_output_subdir(config)
            if config.get("resume") is not None:  # the run has settings and a folder of its own
                folder = resumed(config)[1]
                check_makable(f"resume={config.resume}", folder)
                _put(config, "run", folder)
                return
            load(without_hydra(config))
            make(*_settled(config, "run"))

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Called by Hydra before a sweep, by whichever sweeper: check where it is going to write."""
        with mistakes_in_one_line("convexp-train", "train"), hydra_values(config):
            check_makable(*_settled(config, "sweep"))
            _check_output_subdir(config)
            if "resume" in _given(config):
                raise ConfigError("resume: goes on with one run, without -m; a sweep that is started again goes on by itself")


class CheckEvaluation(Callback):
    """Of convexp-eval (conf/eval.yaml)."""

    def on_run_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Called by Hydra before it makes ``hydra.run.dir``."""
        with mistakes_in_one_line("convexp-eval", "eval"):
            if config.hydra.run.dir != ".":
                raise ConfigError(
                    f"hydra.run.dir={config.hydra.run.dir}: convexp-eval writes into the run's folder; leave it out"
                )

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Called by Hydra for ``-m``, which is refused."""
        with mistakes_in_one_line("convexp-eval", "eval"):
            raise ConfigError("-m: convexp-eval tests one run, run=DIR; call it once for each")


def _settled(config: DictConfig, kind: str) -> tuple[str, Path]:
    """The folder of the run or of the sweep, put into ``config`` as it is meant, and before it the setting that it is from."""
    setting = f"hydra.{kind}.dir"
    folder = path(setting, config.hydra[kind].dir)
    check_folder(setting, str(folder))
    if str(folder) != config.hydra[kind].dir:
        _put(config, kind, folder)
    return origin(setting, folder, config.outputs), folder


def _put(config: DictConfig, kind: str, folder: Path) -> None:
    """Make ``folder`` that of the run or of the sweep; Hydra composes the runs of a sweep anew, from what has been told."""
    with read_write(config.hydra):
        config.hydra[kind].dir = str(folder).replace("${", "\\${")
        config.hydra.overrides.hydra.append(override(f"hydra.{kind}.dir", folder))


def _check_output_subdir(config: DictConfig) -> None:
    if config.hydra.output_subdir is not None:
        raise ConfigError(f"hydra.output_subdir={config.hydra.output_subdir}: should be null, as convexp writes .hydra itself")


def _given(config: DictConfig) -> set[str]:
    """What the command line sets."""
    parser = OverridesParser.create()
    return {parser.parse_override(text).key_or_group for text in config.hydra.overrides.task}
