"""The runs of a sweep as a job does them: each with its number and the name of its folder."""

from collections.abc import Sequence
from dataclasses import dataclass

from hydra.types import HydraContext
from omegaconf import DictConfig

from convexp.config.command_line.override import parse_override
from convexp.config.sweep_configs import SweepConfigs
from convexp.engines.hydra_job import compose_job

NUMBER, FOLDER = "hydra.job.num", "hydra.sweep.subdir"


@dataclass(frozen=True)
class NamedRun:
    """A run of a sweep.

    Attributes:
        name: Name of its folder in the folder of the sweep.
        overrides: Its overrides, those of its number and its folder included.
    """

    name: str
    overrides: list[str]


def planned_runs(context: HydraContext, config: DictConfig, overrides: Sequence[Sequence[str]], first: int) -> list[NamedRun]:
    """Name the runs of a sweep.

    Args:
        context: Hydra's context.
        config: The configuration of the sweep.
        overrides: The overrides of each run; where they do not name its folder, as those of convexp's sweepers do, the run is
            composed.
        first: Number of the first run.
    """
    configs = SweepConfigs(context.config_loader, config)
    return [_planned_run(configs, list(texts), first + index) for index, texts in enumerate(overrides)]


def _planned_run(configs: SweepConfigs, texts: list[str], number: int) -> NamedRun:
    if not any(text.startswith(f"{NUMBER}=") for text in texts):
        texts.append(f"{NUMBER}={number}")
    given = next((text for text in texts if text.startswith(f"{FOLDER}=")), None)
    if given is None:
        return NamedRun(str(compose_job(configs, texts, number).hydra.sweep.subdir), texts)
    return NamedRun(str(parse_override(given).value()), texts)
