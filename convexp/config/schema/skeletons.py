"""From the settings of a model to the skeleton as the geometry describes it."""

from typing import TYPE_CHECKING, Any

from convexp.geometry import Size, resolve_padding
from convexp.geometry.skeleton import Skeleton, Stage

if TYPE_CHECKING:
    from convexp.config.schema.model import SkeletonModel


def build_skeleton(model: "SkeletonModel", input_shape: tuple[int, ...], classes: int) -> Skeleton:
    """The skeleton of ``model`` for images of ``input_shape`` (C, H, W) or (C, L), before ``model.width`` is applied.

    Raises:
        ValueError: naming the setting, if a list does not have one value for each stage or dimension, or if the padding is
            ``same`` and the kernel is even.
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
        init_scale=model.init_scale,
    )


def _build_stage(model: "SkeletonModel", index: int, dims: int) -> Stage:
    """The stage number ``index`` for images of ``dims`` dimensions."""

    def value(setting: str) -> Any:
        return _value_of_stage(model, setting, index)

    def size(setting: str) -> Size:
        return per_dimension(f"model.{setting}", value(setting), dims)

    kernel_size, dilation, padding = size("kernel_size"), size("dilation"), value("padding")
    return Stage(
        channels=model.channels[index],
        kernel_size=kernel_size,
        stride=size("stride"),
        padding=resolve_padding(padding if isinstance(padding, str) else size("padding"), kernel_size, dilation),
        dilation=dilation,
        padding_mode=value("padding_mode"),
        pool=value("pool"),
        pool_size=size("pool_size"),
        blur_size=size("blur_size"),
    )


def _value_of_stage(model: "SkeletonModel", setting: str, index: int) -> Any:
    values, stages = getattr(model, setting), len(model.channels)
    if not isinstance(values, list):
        return values
    if len(values) != stages:
        raise ValueError(f"model.{setting}={values}: should be one value, or {stages} of them, as many as model.channels has")
    return values[index]


def per_dimension(setting: str, value: int | list[int], dims: int) -> Size:
    """One number for each of ``dims`` dimensions, from one for all of them or a list of them, [height, width].

    Raises:
        ValueError: naming the setting, if the list does not have one number for each dimension.
    """
    if not isinstance(value, list):
        return (value,) * dims
    if len(value) != dims:
        several = "[length]" if dims == 1 else f"{dims} of them, [height, width]"
        raise ValueError(
            f"{setting}={value}: should be one number, or {several}, for images of {dims} dimension{'s'[: dims - 1]}"
        )
    return tuple(value)
