"""The base classes of the schema: a section of settings, and a class or function that is named by ``_target_``."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Section(BaseModel):
    """A section of the configuration: unknown settings are errors, values are not coerced, instances are immutable."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class Target(BaseModel):
    """A class or function named by ``_target_``, together with the arguments that the configuration gives it.

    Pydantic lets the arguments pass; ``convexp.config.checks.targets`` checks them against the signature of the target.
    """

    model_config = ConfigDict(extra="allow", strict=True, frozen=True, allow_inf_nan=False)
    target: str = Field(alias="_target_", min_length=1)

    def spec(self) -> dict[str, Any]:
        """The plain mapping, ``_target_`` included, that ``convexp.config.instantiate`` takes."""
        return self.model_dump(by_alias=True)
