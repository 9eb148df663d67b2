"""What is checked before a sweep is planned: that there is a Slurm, and that it takes such a job."""

import shutil

from convexp.config.checks.packages import check_package
from convexp.engines.slurm.commands import ask, partitions
from convexp.engines.slurm.settings import SECTION, SlurmSettings
from convexp.errors import ConfigError, ConvexpError

COMMANDS = ("sbatch", "srun", "squeue", "scancel", "scontrol", "sinfo")
ENGINE = "hydra/launcher=slurm"


def check_slurm(settings: SlurmSettings) -> None:
    """Check that the jobs of a sweep can be submitted.

    Raises:
        ConfigError: naming what is missing or which setting Slurm refuses.
    """
    if settings.gres is not None and settings.gpus_per_node is not None:
        raise ConfigError(
            f"{SECTION}.gres={settings.gres}: gpus_per_node={settings.gpus_per_node} is set, too; set one of them"
        )
    check_package(ENGINE, "submitit", extra="slurm")
    if lacking := [name for name in COMMANDS if shutil.which(name) is None]:
        raise ConfigError(f"{ENGINE}: there is no {lacking[0]} on the PATH; start the sweep on a machine that submits to Slurm")
    try:
        known = partitions()
    except ConvexpError as error:
        raise ConfigError(f"{ENGINE}: Slurm does not answer ({error})") from None
    wanted = settings.partition.split(",") if settings.partition else []
    if unknown := [name for name in wanted if name not in known]:
        raise ConfigError(f"{SECTION}.partition={unknown[0]}: there is no such partition; there are {', '.join(known)}")
    _try(settings)


def _try(settings: SlurmSettings) -> None:
    """Let Slurm check such a job, which is not submitted."""
    options = settings.requests() | (settings.additional_parameters or {})
    flags = [f"--{name.replace('_', '-')}" + ("" if value is True else f"={value}") for name, value in options.items()]
    try:
        ask("sbatch", "--test-only", *flags, "--wrap=true")
    except ConvexpError as error:
        given = ", ".join(f"{name}={value}" for name, value in options.items() if name != "job_name")
        raise ConfigError(f"{SECTION}: Slurm takes no job with {given} ({error})") from None
