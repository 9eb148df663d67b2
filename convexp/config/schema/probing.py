"""The configuration of convexp-probe (conf/probe.yaml)."""

from typing import Literal

from pydantic import Field, PositiveFloat, PositiveInt

from convexp.config.schema.data import Data
from convexp.config.schema.section import Section, Target


class Probing(Section):
    """Which network is measured, with which weights, on which images, by which probes."""

    network: Target
    checkpoint: str | None
    mean: float | list[float]
    std: PositiveFloat | list[PositiveFloat]
    channels: PositiveInt | None
    layers: list[str] | None
    batch_size: PositiveInt
    accelerator: Literal["cpu", "gpu", "mps", "auto"]
    folder: str = Field(min_length=1)
    pythonpath: list[str] | None
    data: Data
    probes: dict[str, Target] | None

    def targets(self) -> dict[str, Target]:
        """Every ``_target_`` of the configuration, by the setting that holds it."""
        probes = {f"probes.{name}": target for name, target in (self.probes or {}).items()}
        return {"network": self.network, "data.source": self.data.source, **probes}
