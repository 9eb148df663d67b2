"""Writing ``playground.json``: the trained network of a run, small enough for a page to run it, and the first test images."""

import time
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from convexp.config import Config
from convexp.data import Dataset, Images
from convexp.errors import one_line
from convexp.models.lowering import LeftOutError, lower
from convexp.records.log import log
from convexp.records.playground import FILE, write_playground
from convexp.records.playground_format import IMAGES, MAX_IMAGES, VERSION, LeftOut, Pictures, Playground


def export_playground(network: nn.Module, data: Dataset, config: Config, folder: Path) -> str:
    """Write the network into the folder of its run, or why it is left out. Nothing that goes wrong here fails the run.

    Args:
        network: The network with its trained weights; it is not changed.
        data: The data of the run.
        config: Configuration of the run.
        folder: Folder of the run.

    Returns:
        What was written, in words.
    """
    start = time.perf_counter()
    try:
        made = _playground(network, data, config)
    except LeftOutError as error:
        made = LeftOut(left_out=f"The network is left out: {error}.")
    except Exception as error:
        made = LeftOut(left_out=f"The network is left out: it cannot be written ({type(error).__name__}: {one_line(error)}).")
    try:
        write_playground(folder, made)
    except (OSError, ValueError) as error:
        said = f"cannot be written ({one_line(error)})"
    else:
        said = made.left_out if isinstance(made, LeftOut) else f"{(folder / FILE).stat().st_size:,} bytes"
    log.info("%s in %.3f s: %s", FILE, time.perf_counter() - start, said)
    return said


def _playground(network: nn.Module, data: Dataset, config: Config) -> Playground:
    if not config.outputs_are_scores:
        raise LeftOutError("its outputs are no scores of classes")
    if config.data.permute_pixels is not None:
        raise LeftOutError("it sees permuted pixels, and the page shows images as they are")
    lowered = lower(network)
    placement = config.data.placement()
    sees = placement.input_size
    return Playground(
        version=VERSION,
        input=lowered.input,
        classes=[str(label) for label in range(config.data.classes)],
        layers=lowered.layers,
        weights=bytes(lowered.weights.content),
        images=_pictures(data.test),
        content=tuple(min(n, m) for n, m in zip(placement.image_size, sees, strict=True)),  # pyright: ignore
        protocol=placement.protocol,
    )


def _pictures(test: Images) -> Pictures:
    """The first images as the network sees them, but for the shift."""
    view = test.view and replace(test.view, shifts=(0,) * len(test.view.placement.canvas_size))
    one = test.batch(torch.arange(1), view)[0]
    count = min(IMAGES, len(test), max(1, MAX_IMAGES // one.numel()))
    rows = torch.arange(count)
    images = test.batch(rows, view)[0].cpu()
    labels = test.labels[test.rows[rows.to(test.rows.device)]]
    return Pictures(label=labels.tolist(), data=images.contiguous().numpy().tobytes())
