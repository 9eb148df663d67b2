"""The shift map against the forward passes it consists of, and against shifting images one by one, on MNIST.

A two-layer convolution (the default model, untrained, which takes the same time), all 10,000 test images, every zero-fill
shift of a 17 x 17 grid: 289 forward passes. Their floor is the same network on the same images, not shifted, in batches as they
lie, with nothing else done. Both are timed interleaved, in parts of a few shifts each, with the ratio taken part by part. The
usual way, torchvision's ``affine`` on one image after the other, is timed on some images and scaled to a whole shift.

    python scripts/bench_probes.py        (needs MNIST: CONVEXP_DATA, or the folder data/; five minutes)
"""

import argparse
import resource
import time
from collections.abc import Callable
from statistics import median

import torch
from results import figures, store
from torch import Tensor
from torchvision.transforms import InterpolationMode
from torchvision.transforms.v2 import functional as vision

from convexp.config.compose import compose_config
from convexp.data.canvas import zero_fill
from convexp.execution import build
from convexp.models import Network
from convexp.probes.behaviour.shift_grid import ShiftGrid
from convexp.probes.behaviour.shift_map import ShiftMap
from convexp.probes.predict import predict
from convexp.probes.sample import BATCH_SIZE, Sample
from convexp.training.probe_runner import probe_sample

Shifts = list[tuple[int, ...]]


def seconds(step: Callable[[], object]) -> float:
    """Return the seconds that one call of ``step`` takes."""
    start = time.perf_counter()
    step()
    return time.perf_counter() - start


def bare(network: Network, images: Tensor, batch: int) -> None:
    """Run one forward pass of all images, and nothing else."""
    for part in images.split(batch):
        network(part)


def accuracies(network: Network, sample: Sample, shifts: Shifts) -> list[float]:
    """Return the accuracy at each shift, as the probe computes it."""
    return [float((predict(network, sample, shift) == sample.labels).double().mean()) for shift in shifts]


def one_by_one(images: Tensor, shift: tuple[int, ...]) -> Tensor:
    """Shift images one after the other with torchvision, the usual way."""
    down, right = shift
    move = {"angle": 0.0, "scale": 1.0, "shear": [0.0], "interpolation": InterpolationMode.NEAREST}
    return torch.stack([vision.affine(image, translate=[right, down], **move) for image in images])


def part(network: Network, sample: Sample, shifts: Shifts, some: int) -> dict[str, float]:
    """Return the seconds per shift of all images for each way."""
    images, shift, scale = sample.images, shifts[0], len(sample) / some
    few = images[:some]
    return {
        "map": seconds(lambda: accuracies(network, sample, shifts)) / len(shifts),
        "bare": seconds(lambda: [bare(network, images, BATCH_SIZE) for _ in shifts]) / len(shifts),
        "bare, batches of 1000": seconds(lambda: [bare(network, images, 1000) for _ in shifts]) / len(shifts),
        "shifting": seconds(lambda: [zero_fill(batch, shift) for batch in images.split(BATCH_SIZE)]),
        "affine": seconds(lambda: one_by_one(few, shift)) * scale,
        "affine and network": seconds(lambda: [network(one_by_one(image[None], shift)) for image in few]) * scale,
    }


def main() -> None:
    """Print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reach", type=int, default=8, help="largest shift; the grid has (2 reach + 1)^2 (default 8)")
    parser.add_argument("--parts", type=int, default=17, help="parts that the grid is timed in, interleaved (default 17)")
    parser.add_argument("--affine", type=int, default=500, help="images for torchvision's affine in a part (default 500)")
    given = parser.parse_args()
    config = compose_config("data=mnist")
    data = build.dataset(config)
    torch.manual_seed(0)
    network = build.network(config, data).eval()
    probe = ShiftMap(given.reach, len(data.test))
    sample = probe_sample(data, {"shift_map": probe}, torch.device("cpu"), scores=True)
    shifts = ShiftGrid(given.reach, 2).shifts
    with torch.inference_mode():
        assert torch.equal(one_by_one(sample.images[:100], (3, -2)), zero_fill(sample.images[:100], (3, -2)))
        part(network, sample, shifts[:1], 10)  # warms up
        times = [part(network, sample, shifts[i :: given.parts], given.affine) for i in range(given.parts)]
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        whole = seconds(lambda: probe.measure(network, sample))
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    ratios = {
        "shift map over bare forward passes (the faster batch size)": [
            t["map"] / min(t["bare"], t["bare, batches of 1000"]) for t in times
        ],
        "shifting alone, affine one by one over convexp": [t["affine"] / t["shifting"] for t in times],
        "map with affine one by one, forward passes in batches, over convexp's": [
            (t["affine"] + t["bare"]) / t["map"] for t in times
        ],
        "map with affine and network one by one over convexp's": [t["affine and network"] / t["map"] for t in times],
    }
    for name, values in ratios.items():
        print(f"{name}: {median(values):.2f} ({min(values):.2f} to {max(values):.2f}, n = {len(values)} parts)")
    store(__file__, figures(ratios, "x"))
    print(f"{len(shifts)} shifts of {len(sample)} images: {whole:.1f} s, of which memory grew by {grown:.0f} MiB (n = 1)")


if __name__ == "__main__":
    main()
