"""From the settings of a model to the skeleton as the geometry describes it."""

from typing import TYPE_CHECKING, Any

from convexp.geometry import resolve_padding
from convexp.geometry.skeleton import Skeleton, Stage

if TYPE_CHECKING:
    from convexp.config.schema.model import Model


def build_skeleton(model: "Model", input_shape: tuple[int, ...], classes: int) -> Skeleton:
    """The skeleton of ``model`` for images of ``input_shape`` (C, H, W) or (C, L), before ``model.width`` is applied.

    Raises:
        ValueError: naming the setting, if a list does not have one value for each stage, or if the padding is ``same`` and the
            kernel is even.
    """
    return Skeleton(
        input_shape=input_shape,
        classes=classes,
        stages=tuple(_build_stage(model, index, len(input_shape) - 1) for index in range(len(model.channels))),
        readout=model.readout,
        hidden=tuple(model.hidden),
        activation=model.activation,
        norm=model.norm,
        bias=model.bias,
    )


def _build_stage(model: "Model", index: int, dims: int) -> Stage:
    """The stage number ``index``; its sizes are the same in each of the ``dims`` dimensions."""

    def value(setting: str) -> Any:
        return _value_of_stage(model, setting, index)

    kernel_size, dilation = (value("kernel_size"),) * dims, (value("dilation"),) * dims
    return Stage(
        channels=model.channels[index],
        kernel_size=kernel_size,
        stride=(value("stride"),) * dims,
        padding=resolve_padding(value("padding"), kernel_size, dilation),
        dilation=dilation,
        padding_mode=value("padding_mode"),
        pool=value("pool"),
        pool_size=(value("pool_size"),) * dims,
    )


def _value_of_stage(model: "Model", setting: str, index: int) -> Any:
    values, stages = getattr(model, setting), len(model.channels)
    if not isinstance(values, list):
        return values
    if len(values) != stages:
        raise ValueError(f"model.{setting}={values}: should be one value, or {stages} of them, as many as model.channels has")
    return values[index]
