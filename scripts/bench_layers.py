"""Time and memory of the locally connected layer, forward and backward, against its peers, interleaved in one run.

The measure is a convolution of torch with the same FLOPs (channels last, as it likes its input). The peers: the module that
everybody copies (unfold, then einsum), JAX's conv_general_dilated_local (which Flax's ConvLocal calls) and tf-keras'
LocallyConnected2D (on the smallest shape alone: building the larger ones takes minutes), the last two in processes of their
own that sleep while others are timed. What is not installed is left out and named: ``pip install 'convexp[bench]'``. Writes
bench.json and bench.png into --out.

    python scripts/bench_layers.py                (two CPU cores: under 3 minutes; on a GPU instead, if there is one)
    python scripts/bench_layers.py --wide --rounds 5
                                                  (21 shapes, batches 1 to 128, on one CPU core: how near the layer comes to
                                                   its peers and its floor, and which shapes miss a goal)
    python scripts/bench_layers.py --global-conv  (where the Fourier transform pays for GlobalConv2d)
"""

import argparse
import importlib.util
import json
import math
import multiprocessing
import os
import platform
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from statistics import geometric_mean, median, quantiles
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("GOMP_SPINCOUNT", "3000")  # as programs of convexp set it; before torch is imported

import matplotlib
import torch
from local_shapes import Shape
from results import Figure, figures, ratios, store
from torch import Tensor, nn
from wide_table import BATCHES, UnfoldEinsum, wide

from convexp.geometry.fourier import fourier_flops
from convexp.layers import GlobalConv2d, LocallyConnected2d, cost
from convexp.layers.layout import batch_first, batch_last
from convexp.models.timing import peak_bytes

matplotlib.use("Agg")
from matplotlib import pyplot as plt

Step = Callable[[], Any]


SHAPES = [
    Shape(1, 16, 28, 3),
    Shape(16, 32, 28, 3),
    Shape(32, 64, 14, 3),
    Shape(3, 32, 32, 5),
    Shape(64, 128, 8, 3),
    Shape(1, 16, 28, 5, 2),  # the two stages of convexp's own networks on MNIST
    Shape(16, 32, 14, 3, 2),
]


GLOBAL_SHAPES = [(1, 16, 28, 2), (16, 32, 14, 2), (16, 32, 8, 1), (1, 16, 28, 1), (16, 32, 14, 1)]


def training_step(module: nn.Module, x: Tensor, contiguous: bool = False) -> Step:
    """Forward, and the gradients in input and parameters.

    The upstream gradient lies as the output does, or is contiguous: what a flattened readout hands back.
    """
    x = x.detach().requires_grad_()
    wanted = [x, *module.parameters()]
    above = torch.randn_like(module(x))
    above = above.contiguous() if contiguous else above
    return lambda: torch.autograd.grad(module(x), wanted, above)


def jax_step(shape: Shape, batch: int) -> Step:
    """The same in JAX, compiled."""
    import jax

    layer = LocallyConnected2d(**shape.arguments(), input_size=shape.size)
    assert layer.bias is not None
    window = ((layer.stride, [(p, p) for p in layer.padding]), layer.kernel_size)
    kernel = layer.kernel.detach().permute(2, 3, 4, 5, 0, 1).flatten(1, 3)  # (O, C*k*k, H', W')
    weight, bias = jax.numpy.asarray(kernel.numpy()), jax.numpy.asarray(layer.bias.detach().numpy())
    x = jax.numpy.asarray(torch.randn(batch, shape.inputs, shape.size, shape.size).numpy())
    above = jax.numpy.asarray(torch.randn(batch, shape.outputs, *layer.output_size).numpy())

    def forward(x: Any, weight: Any, bias: Any) -> Any:
        return jax.lax.conv_general_dilated_local(x, weight, *window[0], window[1]) + bias

    step = jax.jit(lambda x, weight, bias, above: jax.vjp(forward, x, weight, bias)[1](above))
    return lambda: jax.block_until_ready(step(x, weight, bias, above))


def keras_step(shape: Shape, batch: int) -> Step:
    """The same in tf-keras, as a graph; its implementation 2 is the fastest of the three on this shape."""
    import tensorflow as tf
    import tf_keras

    layer = tf_keras.layers.LocallyConnected2D(shape.outputs, shape.kernel, padding="same", implementation=2)
    x = tf.random.normal((batch, shape.size, shape.size, shape.inputs))
    above = tf.random.normal(layer(x).shape)

    @tf.function
    def step(x: Any, above: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x)
        return tape.gradient(y, [x, *layer.trainable_weights], output_gradients=above)

    return lambda: [gradient.numpy() for gradient in step(x, above)]


PEERS = {"JAX": "jax", "tf-keras": "tf_keras"}


def serve(pipe: Any, name: str, batch: int) -> None:
    """In a process of its own: for every shape that comes build a step, for every "go" send its seconds; until nobody asks."""
    step: Step | None = None
    with suppress(EOFError, KeyboardInterrupt):
        while True:
            message = pipe.recv()
            if isinstance(message, Shape):
                step = (jax_step if name == "JAX" else keras_step)(message, batch)
                step()
                pipe.send("ready")
            elif step is not None:
                pipe.send(seconds(step, "cpu"))


class Peer:
    """Another framework, asleep unless it is asked."""

    def __init__(self, name: str, batch: int) -> None:
        context = multiprocessing.get_context("spawn")
        self.name = name
        self.pipe, theirs = context.Pipe()
        context.Process(target=serve, args=(theirs, name, batch), daemon=True).start()
        theirs.close()  # else the end of that process would not be seen here

    def ask(self, message: Shape | str) -> Any:
        """A shape: when its step is ready. "go": its seconds."""
        self.pipe.send(message)
        answer = self.pipe.recv()
        time.sleep(0.05)  # until its threads have gone to sleep
        return answer

    def can(self, shape: Shape) -> bool:
        """Whether the shape is built in reasonable time."""
        return self.name != "tf-keras" or shape == SHAPES[0]


def rivals(shape: Shape, batch: int, device: str, dtype: torch.dtype) -> dict[str, Step]:
    """What torch does on one shape, by name."""
    torch.manual_seed(0)
    make: dict[str, Any] = {"device": device, "dtype": dtype}
    layer = LocallyConnected2d(**shape.arguments(), input_size=shape.size, **make)
    x = torch.randn(batch, shape.inputs, shape.size, shape.size, **make)
    last: Any = torch.channels_last
    conv = nn.Conv2d(**shape.arguments(), **make).to(memory_format=last)
    return {
        "conv2d": training_step(conv, x.contiguous(memory_format=last)),
        "convexp": training_step(layer, batch_first(batch_last(x).contiguous())),
        "convexp, NCHW": training_step(layer, x, contiguous=True),
        "unfold+einsum": training_step(UnfoldEinsum(layer), x),
    }


def seconds(step: Step, device: str) -> float:
    """Of one call, after one more if it is short."""
    for _ in range(2):
        start = time.perf_counter()
        step()
        if device == "cuda":
            torch.cuda.synchronize()
        taken = time.perf_counter() - start
        if taken > 0.1:
            break
    return taken


def extra_bytes(step: Step) -> int:
    """Largest memory in use during a step above the gradients it returns, as torch's profiler counts it (CPU)."""
    kept: list[tuple[torch.Tensor, ...]] = []
    peak = peak_bytes(lambda: kept.append(step()))
    return peak - sum(t.untyped_storage().nbytes() for t in kept[0])


@dataclass
class Row:
    """One shape: milliseconds of every rival in every round, and convexp's memory."""

    shape: str
    flops: int
    milliseconds: dict[str, list[float]] = field(default_factory=dict)
    memory: float | None = None

    def ratio(self, name: str, base: str = "conv2d") -> tuple[float, float, float]:
        """Median and quartiles over the rounds of the time of ``name`` over that of ``base``."""
        each = [a / b for a, b in zip(self.milliseconds[name], self.milliseconds[base], strict=True)]
        low, middle, high = quantiles(each, n=4) if len(each) > 1 else (each[0],) * 3
        return middle, low, high


def measure(shape: Shape, batch: int, rounds: int, device: str, dtype: torch.dtype, peers: list[Peer]) -> Row:
    """All rivals on one shape, in turn, ``rounds`` times."""
    steps = rivals(shape, batch, device, dtype)
    timers: dict[str, Callable[[], float]] = {name: partial(seconds, step, device) for name, step in steps.items()}
    for peer in peers:
        if peer.can(shape) and peer.ask(shape):
            timers[peer.name] = partial(peer.ask, "go")
    layer = LocallyConnected2d(**shape.arguments(), input_size=shape.size, device="meta")
    counted = cost(layer, batch)
    row = Row(str(shape), counted.forward_flops + (counted.backward_flops or 0), {name: [] for name in timers})
    for step in steps.values():
        step()
    for _ in range(rounds):
        for name, timer in timers.items():
            row.milliseconds[name].append(1000 * timer())
    if device == "cpu":
        side = shape.size + 2 * (shape.kernel // 2)
        output = 4 * batch * shape.outputs * math.prod(layer.output_size)
        row.memory = (extra_bytes(steps["convexp"]) - output) / (4 * batch * shape.inputs * side * side)
    return row


def show(rows: list[Row], names: list[str]) -> None:
    """A table: median ms, and for all but the convolution the median of the ratios to it with its quartiles."""
    print("| C→O, image, kernel/stride | " + " | ".join(names) + " | memory |")
    print("| --- |" + " ---: |" * (len(names) + 1))
    for row in rows:
        cells: list[str] = []
        for name in names:
            if name not in row.milliseconds:
                cells.append("")
                continue
            cell = f"{median(row.milliseconds[name]):.1f} ms"
            if name != "conv2d":
                middle, low, high = row.ratio(name)
                cell += f" = {middle:.2f} ({low:.2f}-{high:.2f})"
            cells.append(cell)
        print(f"| {row.shape} | " + " | ".join(cells) + f" | {'' if row.memory is None else f'{row.memory:.2f}'} |")


def summarise(rows: list[Row], names: list[str]) -> dict[str, Any]:
    """Ratio to the convolution in the median over the shapes and at worst, lead over the peers in the geometric mean."""
    found: dict[str, Any] = {}
    for name in ("convexp", "convexp, NCHW"):
        ratios = [row.ratio(name)[0] for row in rows]
        found[f"{name} / conv2d"] = {"median": median(ratios), "worst": max(ratios)}
    for name in names:
        shared = [row for row in rows if name in row.milliseconds]
        if name not in ("conv2d", "convexp", "convexp, NCHW"):
            found[f"{name} / convexp"] = {"geometric mean": geometric_mean([row.ratio(name, "convexp")[0] for row in shared])}
    memory = [row.memory for row in rows if row.memory is not None]
    if memory:
        found["memory / padded input"] = {"worst": max(memory)}
    return found


def picture(rows: list[Row], names: list[str], path: Path) -> None:
    """Bars of the time over that of the convolution, on a logarithmic scale."""
    figure, axes = plt.subplots(figsize=(10, 4.2), layout="constrained")
    compared = [name for name in names if name != "conv2d"]
    width = 0.8 / len(compared)
    for index, name in enumerate(compared):
        at = [i + (index - (len(compared) - 1) / 2) * width for i, row in enumerate(rows) if name in row.milliseconds]
        ratios = [row.ratio(name) for row in rows if name in row.milliseconds]
        error = [[m - low for m, low, _ in ratios], [high - m for m, _, high in ratios]]
        axes.bar(at, [m for m, _, _ in ratios], width, yerr=error, label=name, error_kw={"lw": 0.8})
    axes.axhline(1, color="black", lw=1)
    axes.set_yscale("log")
    axes.set_xticks(range(len(rows)), [row.shape for row in rows], fontsize=8)
    axes.set_xlabel("channels, image, kernel/stride")
    axes.set_ylabel("time / time of conv2d at the same FLOPs")
    axes.legend(fontsize=8, ncols=len(compared), loc="upper center", bbox_to_anchor=(0.5, 1.12), frameon=False)
    axes.grid(axis="y", alpha=0.3)
    figure.savefig(path, dpi=110)


def roofline(rows: list[Row], batch: int, dtype: torch.dtype) -> None:
    """On a GPU: convexp over its floor, the larger of FLOPs over the measured matrix rate and bytes over the bandwidth."""
    a = torch.randn(8192, 8192, device="cuda", dtype=dtype)
    rate = 2 * 8192**3 / min(seconds(lambda: a @ a, "cuda") for _ in range(5))
    big = torch.empty(2**28, device="cuda")
    bandwidth = 2 * big.numel() * 4 / min(seconds(lambda: big.copy_(big.flip(0)), "cuda") for _ in range(5))
    print(f"\nmeasured: {rate / 1e12:.0f} TFLOP/s, {bandwidth / 1e9:.0f} GB/s ({dtype})")
    for row, shape in zip(rows, SHAPES, strict=True):
        layer = LocallyConnected2d(**shape.arguments(), input_size=shape.size, device="meta", dtype=dtype)
        found = cost(layer, batch)
        moved = 3 * (found.parameter_bytes + found.input_bytes + found.output_bytes)  # each once in each of three passes
        floor = 1000 * max(row.flops / rate, moved / bandwidth)
        print(f"{row.shape}: floor {floor:.3f} ms, convexp {median(row.milliseconds['convexp']) / floor:.2f} times")


def global_conv(batch: int, rounds: int) -> list[Figure]:
    """GlobalConv2d by the transform and as a matrix, and which of the two it chooses."""
    print("| C→O, image/stride | transform | matrix | ratio of times | ratio of FLOPs | chosen |")
    print("| --- | ---: | ---: | ---: | ---: | --- |")
    measured: list[Figure] = []
    for inputs, outputs, size, stride in GLOBAL_SHAPES:
        layer = GlobalConv2d(inputs, outputs, 1, size, stride)
        chosen = "transform" if layer.by_fourier else "matrix"
        x = torch.randn(batch, inputs, size, size)
        times: dict[bool, list[float]] = {True: [], False: []}
        for _ in range(rounds):
            for by_fourier, taken in times.items():
                layer.by_fourier = by_fourier
                taken.append(1000 * seconds(training_step(layer, x), "cpu"))
        matrix = 2 * inputs * size**2 * outputs * math.prod(layer.output_size)
        flops = fourier_flops(inputs, outputs, layer.fourier_size) / matrix
        fast, slow = median(times[True]), median(times[False])
        name = f"{inputs}→{outputs}, {size}²" + (f"/{stride}" if stride > 1 else "")
        print(f"| {name} | {fast:.1f} ms | {slow:.1f} ms | {fast / slow:.2f} | {flops:.2f} | {chosen} |")
        named = {"transform": times[True], "matrix": times[False]}
        measured += [*figures(named, "ms", f"{name}: "), *ratios(named, "matrix", f"{name}: ")]
    return measured


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--dtype", default="float32", choices=["float32", "bfloat16", "float16"])
    parser.add_argument(
        "--peers", nargs="*", choices=list(PEERS), default=list(PEERS), help="those of them to run; default: all"
    )
    parser.add_argument("--global-conv", action="store_true", help="GlobalConv2d instead")
    parser.add_argument("--wide", action="store_true", help="many shapes and batches instead, in CPU time of one thread")
    parser.add_argument("--batches", type=int, nargs="+", default=list(BATCHES), help="of --wide")
    parser.add_argument("--only", default="", help="shapes of --wide whose name has this in it")
    parser.add_argument("--out", type=Path, default=Path("outputs/bench_layers"))
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    if given.global_conv:
        store(__file__, global_conv(given.batch, given.rounds))
        return
    dtype = getattr(torch, given.dtype)
    if given.wide:
        torch.set_num_threads(1)
        setting = f"{given.dtype}, CPU time of one thread, torch {torch.__version__}"
        print(f"\nForward and backward, {setting}, n = {given.rounds} rounds.\n")
        rows, judged = wide(tuple(given.batches), given.rounds, dtype, training_step, given.only)
        facts = facts_of(given, "cpu") | {"threads": 1, "batch": given.batches}
        write(given.out / "wide.json", {"facts": facts, "rows": [asdict(row) for row in rows]})
        store(__file__, judged)
        return
    device = "cuda" if torch.cuda.is_available() else "cpu"
    installed = [name for name in given.peers if importlib.util.find_spec(PEERS[name])]
    for name in given.peers:
        if name not in installed:
            print(f"{name} is not installed and left out")
    peers = [Peer(name, given.batch) for name in installed] if device == "cpu" else []
    run = partial(measure, batch=given.batch, rounds=given.rounds, device=device, dtype=dtype, peers=peers)
    rows = [run(shape) for shape in SHAPES]
    names = list(dict.fromkeys(name for row in rows for name in row.milliseconds))
    setting = f"{given.dtype}, batch {given.batch}, {device}, {given.threads} threads, torch {torch.__version__}"
    print(f"\nForward and backward, {setting}, n = {given.rounds} rounds.")
    print("Median time = median ratio to conv2d (quartiles); memory above operands and results, in padded inputs.\n")
    show(rows, names)
    summary = summarise(rows, names)
    for name, values in summary.items():
        print(f"{name}: " + ", ".join(f"{key} {value:.2f}" for key, value in values.items()))
    if device == "cuda":
        roofline(rows, given.batch, dtype)
    written = {"facts": facts_of(given, device), "summary": summary, "rows": [asdict(row) for row in rows]}
    write(given.out / "bench.json", written)
    store(__file__, [each for row in rows for each in of_shape(row.shape, row.milliseconds)])
    picture(rows, names, given.out / "bench.png")
    print(f"written: {given.out / 'bench.png'}")


def of_shape(name: str, times: dict[str, list[float]]) -> list[Figure]:
    """The times of a shape, and what they are of that of the convolution in the same round."""
    return [*figures(times, "ms", f"{name}: "), *ratios(times, "conv2d", f"{name}: ")]


def facts_of(given: argparse.Namespace, device: str) -> dict[str, Any]:
    """Under what the figures were measured."""
    facts = {"device": device, "processor": platform.processor() or platform.machine(), "torch": torch.__version__}
    return facts | {"batch": given.batch, "rounds": given.rounds, "threads": given.threads, "dtype": given.dtype}


def write(path: Path, data: dict[str, Any]) -> None:
    """Write as JSON, and say so."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data, indent=1, ensure_ascii=False), encoding="utf-8")
    print(f"\nwritten: {path}")


if __name__ == "__main__":
    main()
