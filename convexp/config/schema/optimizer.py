"""The section ``optimizer``: a class, its arguments, and groups of parameters with other ones."""

from typing import Any, Literal

from pydantic import ConfigDict, Field, NonNegativeFloat, PositiveFloat, model_validator

from convexp.config.schema.section import Section, Target
from convexp.config.signatures.signature import read_signature

Kind = Literal["bias", "norm", "readout"]


class ParameterGroup(Section):
    """A rule that chooses parameters; further settings are arguments of the optimizer for these parameters."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True, allow_inf_nan=False)
    kind: Kind | list[Kind] | None = Field(default=None, description="kinds of parameters: bias, norm, readout")
    name: str | list[str] | None = Field(default=None, description="patterns of names of parameters, such as stages.0.*")
    lr: PositiveFloat | None = Field(default=None, description="their learning rate")
    weight_decay: NonNegativeFloat | None = Field(default=None, description="their weight decay")

    @model_validator(mode="after")
    def _chooses(self) -> "ParameterGroup":
        if not self.kinds and not self.names:
            raise ValueError("should have a kind (bias, norm, readout) or a name, a pattern such as stages.0.*")
        return self

    @property
    def kinds(self) -> list[str]:
        """The kinds of parameters that belong to the group."""
        return [] if self.kind is None else [*self.kind] if isinstance(self.kind, list) else [self.kind]

    @property
    def names(self) -> list[str]:
        """Patterns of the names of parameters that belong to the group."""
        return [] if self.name is None else [*self.name] if isinstance(self.name, list) else [self.name]

    @property
    def overrides(self) -> dict[str, Any]:
        """The arguments of the optimizer that these parameters have."""
        own = {name: value for name, value in (("lr", self.lr), ("weight_decay", self.weight_decay)) if value is not None}
        return own | (self.model_extra or {})


class Optimizer(Target):
    """An optimizer (conf/optimizer/); further settings are arguments of its constructor."""

    lr: PositiveFloat | None = None
    weight_decay: NonNegativeFloat = 0.0
    groups: dict[str, ParameterGroup] | None = Field(
        default=None, description="other arguments for some of the parameters, such as no weight decay of biases, by name"
    )

    def spec(self) -> dict[str, Any]:
        """The plain mapping that ``convexp.config.instantiate`` takes, without what nobody set and the class does not have."""
        values = super().spec()
        del values["groups"]
        if self.lr is None:
            del values["lr"]
        if "weight_decay" not in self.model_fields_set and not self._takes("weight_decay"):
            del values["weight_decay"]
        return values

    def _takes(self, argument: str) -> bool:
        try:
            signature = read_signature(self.target)
        except LookupError:
            return False
        return signature is not None and (argument in signature.schemas or signature.open)
