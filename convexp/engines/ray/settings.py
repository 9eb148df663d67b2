"""The settings of ``hydra/launcher=ray``."""

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from convexp.config.schema.section import Section
from convexp.config.validated import validated

SECTION = "hydra.launcher"
ADDRESS = re.compile(r"auto|(?:ray://)?(?P<host>\[[^\]\s]+\]|[^:/\s\[\]]+):(?P<port>\d{1,5})")
LEAST_OBJECT_STORE = 80e6  # bytes; Ray refuses less than 75 MiB
IN_FLIGHT = 1000  # runs that Ray is given at the same time, if no setting limits them: each takes memory until it is done


def _check_address(address: str) -> str:
    found = ADDRESS.fullmatch(address)
    if found is None or int(found["port"] or 1) not in range(1, 2**16):
        raise ValueError("should be auto, HOST:PORT or ray://HOST:PORT, or null for a Ray of its own on this machine")
    return address


def _check_share(amount: float) -> float:
    """Ray gives parts of one CPU or GPU, or whole ones."""
    if amount > 1 and amount != int(amount):
        raise ValueError("should be a whole number, or a part of one such as 0.25")
    return amount


def _check_names(resources: dict[str, float]) -> dict[str, float]:
    for name, setting in (("CPU", "num_cpus"), ("GPU", "num_gpus")):
        if name in resources:
            raise ValueError(f"{name} has a setting of its own, {SECTION}.{setting}")
    return resources


Share = Annotated[NonNegativeFloat, AfterValidator(_check_share)]


class RaySettings(Section):
    """Which Ray does the runs, and what each of them asks for (conf/hydra/launcher/ray.yaml)."""

    address: Annotated[str, AfterValidator(_check_address)] | None = None
    connect_timeout: PositiveFloat = 30
    start_timeout: PositiveFloat = 180
    num_cpus: Annotated[Share, Field(gt=0)] = 1
    num_gpus: Share = 0
    resources: Annotated[dict[str, Share], AfterValidator(_check_names)] = {}
    max_retries: NonNegativeInt = 3
    max_parallel: PositiveInt | None = None
    env: list[str] = []
    local_cpus: PositiveInt | None = None
    local_gpus: NonNegativeInt | None = None
    object_store_memory: Annotated[float, Field(ge=LEAST_OBJECT_STORE)] | None = None

    @property
    def in_flight(self) -> int:
        """Largest number of runs that Ray is given at the same time."""
        return self.max_parallel or IN_FLIGHT

    @property
    def timeout(self) -> float:
        """Seconds until Ray has to be there."""
        return self.start_timeout if self.address is None else self.connect_timeout

    def requests(self) -> dict[str, float]:
        """What a run asks for, by Ray's names of what a node has."""
        asked = {"CPU": self.num_cpus, "GPU": self.num_gpus, **self.resources}
        return {name: amount for name, amount in asked.items() if amount}


def read_settings(given: Mapping[str, Any]) -> RaySettings:
    """Validate the settings.

    Raises:
        ConfigError: naming those that are wrong.
    """
    return validated(RaySettings, given, SECTION)
