"""The section ``model`` of any network other than the skeleton: a callable that makes it."""

from pydantic import Field, PositiveInt

from convexp.config.schema.section import Section, Target


class NetworkModel(Section):
    """A network that a callable makes, from images ``(B, C, H, W)`` to outputs ``(B, outputs)`` (docs/networks.md)."""

    name: str = Field(min_length=1, description="name of the network in tables and folders")
    network: Target
    input_channels: PositiveInt | None = Field(
        default=None,
        description="number of channels that the network takes, to which grey images are repeated; null: those of the images",
    )
    layers: list[str] | None = Field(
        default=None, description="modules of the network that probes of layers look at; null: its direct children"
    )
    width_setting: str | None = Field(
        default=None, description="argument of model.network that match=params:N and match=flops:N change; null: none"
    )
    width_multiple: PositiveInt = Field(default=1, description="number that the width has to be a multiple of")

    def targets(self) -> dict[str, Target]:
        """Every ``_target_`` of the section, by its setting."""
        return {"model.network": self.network}

    def input_shape(self, image_shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of what the network is given, for images of ``image_shape`` (C, H, W) or (C, L)."""
        return (self.input_channels or image_shape[0], *image_shape[1:])
