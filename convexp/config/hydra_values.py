"""Hydra where it runs no job: what ``${hydra:...}`` means, and composing without disturbing another application."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import JobRuntime
from hydra.version import VersionBase
from omegaconf import DictConfig, OmegaConf, read_write

from convexp.config.paths import conf_dir


@contextmanager
def hydra_values(cfg: DictConfig) -> Generator[None]:
    """Within it ``${hydra:...}`` looks into ``cfg.hydra``, as it does while a job runs."""
    state = HydraConfig.instance().cfg
    try:
        HydraConfig.instance().set_config(cfg)
        yield
    finally:
        HydraConfig.instance().cfg = state


def be_job(number: int) -> None:
    """Within ``hydra_values``: the job of a sweep whose turn it is."""
    job: Any = HydraConfig.get().job
    with read_write(job):
        job.num, job.id = number, str(number)


def without_hydra(cfg: DictConfig) -> DictConfig:
    """The configuration as a job is given it."""
    return OmegaConf.masked_copy(cfg, [str(key) for key in cfg if key != "hydra"])


@contextmanager
def hydra_of_its_own() -> Generator[None]:
    """Hydra on ``conf/``; one that is in use has its state again afterwards, which ``initialize_config_dir`` leaves open."""
    hydra, base, name = GlobalHydra.instance().hydra, VersionBase.instance().getbase(), JobRuntime.instance().get("name")
    GlobalHydra.instance().clear()
    try:
        with initialize_config_dir(conf_dir(), version_base="1.3"):
            yield
    finally:
        GlobalHydra.instance().hydra = hydra
        VersionBase.instance().version_base = base
        JobRuntime.instance().set("name", name)
