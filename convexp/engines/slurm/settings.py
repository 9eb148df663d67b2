"""The settings of ``hydra/launcher=slurm``."""

from collections.abc import Mapping
from typing import Any

from pydantic import NonNegativeInt, PositiveFloat, PositiveInt

from convexp.config.schema.section import Section
from convexp.config.validated import validated

SECTION = "hydra.launcher"


class SlurmSettings(Section):
    """What a job of Slurm asks for, and how runs are shared out among jobs (conf/hydra/launcher/slurm.yaml)."""

    job_name: str = "convexp"
    partition: str | None = None
    account: str | None = None
    qos: str | None = None
    timeout_min: PositiveInt = 60
    cpus_per_task: PositiveInt = 1
    mem_gb: PositiveFloat | None = None
    gpus_per_node: PositiveInt | str | None = None
    gres: str | None = None
    constraint: str | None = None
    exclude: str | None = None
    setup: list[str] = []
    additional_parameters: dict[str, str | int | float | bool] | None = None
    array_parallelism: PositiveInt = 256
    signal_delay_s: PositiveInt = 90
    max_requeues: NonNegativeInt = 10
    runs_per_job: PositiveInt = 1
    processes: PositiveInt | None = None
    runs_per_gpu: PositiveInt = 1
    detach: bool = False

    def requests(self) -> dict[str, Any]:
        """What a job asks for, by the names of sbatch's options, with ``_`` for ``-``, without ``additional_parameters``."""
        named = {
            "job_name": self.job_name,
            "partition": self.partition,
            "account": self.account,
            "qos": self.qos,
            "time": self.timeout_min,
            "cpus_per_task": self.cpus_per_task,
            "mem": None if self.mem_gb is None else f"{round(self.mem_gb * 1024)}M",
            "gpus_per_node": self.gpus_per_node,
            "gres": self.gres,
            "constraint": self.constraint,
            "exclude": self.exclude,
        }
        return {name: value for name, value in named.items() if value is not None}


def read_settings(given: Mapping[str, Any]) -> SlurmSettings:
    """Validate the settings.

    Raises:
        ConfigError: naming those that are wrong.
    """
    return validated(SlurmSettings, given, SECTION)
