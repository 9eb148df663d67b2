"""Summaries of TensorBoard as protocol buffers, made without torch: scalars, text, pictures and the layout of margin charts."""

from collections.abc import Mapping, Sequence
from typing import Any

from tensorboard.compat.proto import summary_pb2, tensor_pb2, tensor_shape_pb2
from tensorboard.plugins.custom_scalar import layout_pb2
from tensorboard.plugins.custom_scalar import metadata as custom_scalar
from tensorboard.plugins.text import metadata as text_metadata

# protobuf makes its classes when it is imported: there is nothing for a type checker to see
layout: Any = layout_pb2
proto: Any = summary_pb2
tensors: Any = tensor_pb2
shapes: Any = tensor_shape_pb2

MEAN, LOWER, UPPER = "mean", "lower", "upper"  # the last part of the three tags of a band


def scalars(values: Mapping[str, float]) -> Any:
    """Return a summary of scalars by tag."""
    return proto.Summary(value=[proto.Summary.Value(tag=tag, simple_value=value) for tag, value in values.items()])


def text(tag: str, markdown: str) -> Any:
    """Return a summary with a text, which TensorBoard shows as Markdown."""
    metadata = text_metadata.create_summary_metadata(tag, "")
    return _tensor(tag, markdown.encode("utf-8", errors="replace"), metadata)


def picture(tag: str, png: bytes, width: int, height: int) -> Any:
    """Return a summary with a picture.

    Args:
        tag: Its name.
        png: The content of a PNG file.
        width: Its width in pixels.
        height: Its height in pixels.
    """
    image = proto.Summary.Image(encoded_image_string=png, width=width, height=height, colorspace=3)
    return proto.Summary(value=[proto.Summary.Value(tag=tag, image=image)])


def margin_charts(categories: Mapping[str, Sequence[str]]) -> Any:
    """Return the layout of the tab CUSTOM SCALARS: charts that draw a line within a band for each run.

    It is written as ``torch.utils.tensorboard.summary.custom_scalars`` does, as TensorBoard's own function needs TensorFlow.

    Args:
        categories: The charts by the title of their category. ``name/mean``, ``name/lower`` and ``name/upper`` are the tags of
            the chart ``name``, which is also its title.
    """
    made = [layout.Category(title=title, chart=[_margin_chart(name) for name in names]) for title, names in categories.items()]
    metadata = proto.SummaryMetadata(plugin_data=proto.SummaryMetadata.PluginData(plugin_name=custom_scalar.PLUGIN_NAME))
    return _tensor(custom_scalar.CONFIG_SUMMARY_TAG, layout.Layout(category=made).SerializeToString(), metadata)


def _margin_chart(name: str) -> Any:
    series = layout.MarginChartContent.Series(value=f"{name}/{MEAN}", lower=f"{name}/{LOWER}", upper=f"{name}/{UPPER}")
    return layout.Chart(title=name, margin=layout.MarginChartContent(series=[series]))


def _tensor(tag: str, content: bytes, metadata: Any) -> Any:
    tensor = tensors.TensorProto(dtype="DT_STRING", string_val=[content], tensor_shape=shapes.TensorShapeProto())
    return proto.Summary(value=[proto.Summary.Value(tag=tag, tensor=tensor, metadata=metadata)])
