"""Hydra outside of a job: resolve ``${hydra:...}``, and compose without disturbing another Hydra application."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import JobRuntime
from hydra.version import VersionBase
from omegaconf import DictConfig, OmegaConf, read_write

from convexp.config.search_path import conf_dir


@contextmanager
def hydra_values(cfg: DictConfig) -> Generator[None]:
    """A context in which ``${hydra:...}`` refers to ``cfg.hydra``, as it does while a job runs."""
    state = HydraConfig.instance().cfg
    try:
        HydraConfig.instance().set_config(cfg)
        yield
    finally:
        HydraConfig.instance().cfg = state


def set_job_number(number: int) -> None:
    """Set the values of ``${hydra:job.num}`` and ``${hydra:job.id}``, within ``hydra_values``."""
    job: Any = HydraConfig.get().job
    with read_write(job):
        job.num, job.id = number, str(number)


def without_hydra(cfg: DictConfig) -> DictConfig:
    """A copy of the configuration without its node ``hydra``, as Hydra hands it to a job."""
    return OmegaConf.masked_copy(cfg, [str(key) for key in cfg if key != "hydra"])


@contextmanager
def isolated_hydra(job_name: str = "app") -> Generator[None]:
    """A context in which Hydra composes from ``conf/``; afterwards an application that was using Hydra finds it unchanged.

    Args:
        job_name: what ``${hydra:job.name}`` is.
    """
    hydra, base, name = GlobalHydra.instance().hydra, VersionBase.instance().getbase(), JobRuntime.instance().get("name")
    GlobalHydra.instance().clear()
    try:
        with initialize_config_dir(conf_dir(), job_name, version_base="1.3"):
            yield
    finally:  # initialize_config_dir restores Hydra only if it was initialized, and neither of the others
        GlobalHydra.instance().hydra = hydra
        VersionBase.instance().version_base = base
        JobRuntime.instance().set("name", name)
