"""What is predicted from geometry alone holds for random networks, and what is not predicted fails for them."""

from dataclasses import replace
from functools import partial

import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from convexp.data.canvas import zero_fill
from convexp.geometry.equivariance import Claim, Invariance, claim, invariances, trace
from convexp.geometry.line import Line, Shifting
from convexp.geometry.skeleton import Skeleton, Stage
from convexp.geometry.wiring import Wiring
from convexp.layers import Conv2d, Dense2d, GlobalConv2d, LocallyConnected2d, LowRankLocallyConnected2d
from convexp.models import Network

many = settings(deadline=None, max_examples=30, derandomize=True, suppress_health_check=list(HealthCheck))
LAYERS = {
    "conv": Conv2d,
    "global_conv": GlobalConv2d,
    "local": LocallyConnected2d,
    "low_rank_local": partial(LowRankLocallyConnected2d, rank=2),
    "dense": Dense2d,
}
IMAGES, SAME, DIFFERENT = 12, 1e-9, 1e-6


class Case:
    """A skeleton with a wiring, as a random network, and random images."""

    def __init__(self, skeleton: Skeleton, wiring: Wiring, network: Network) -> None:
        self.skeleton, self.wiring, self.network = skeleton, wiring, network
        self.images = torch.randint(0, 256, (IMAGES, *skeleton.input_shape)).double()

    def __repr__(self) -> str:
        return f"{self.wiring} {self.skeleton}"


def pairs(values):
    return st.tuples(values, values)


@st.composite
def drawn_stages(draw, border) -> Stage:
    kernel, dilation = draw(pairs(st.sampled_from([1, 2, 3, 3]))), draw(st.sampled_from([1, 1, 1, 2]))
    same = tuple(dilation * (k - 1) // 2 for k in kernel)
    return Stage(
        channels=2,
        kernel_size=kernel,
        stride=draw(pairs(st.sampled_from([1, 1, 2, 3]))),
        padding=draw(st.one_of(st.just(same), st.just(same), pairs(st.integers(0, 2)))),
        dilation=(dilation, dilation),
        padding_mode=draw(st.one_of(st.just(border), st.sampled_from(["zeros", "reflect", "replicate", "circular"]))),
        pool=draw(st.sampled_from(["none", "none", "max", "avg", "blur", "max_blur", "aps", "max_aps"])),
        pool_size=draw(pairs(st.sampled_from([1, 2, 2, 3]))),
        blur_size=draw(pairs(st.sampled_from([1, 3, 3]))),
    )


@st.composite
def cases(draw) -> Case:
    border = draw(st.sampled_from(["circular", "circular", "zeros"]))
    skeleton = Skeleton(
        input_shape=(1, draw(st.sampled_from([4, 6, 7, 8])), draw(st.sampled_from([4, 5, 6]))),
        classes=3,
        stages=tuple(draw(st.lists(drawn_stages(border), min_size=1, max_size=2))),
        readout=draw(st.sampled_from(["flatten", "global_avg", "global_max"])),
        hidden=draw(st.sampled_from([(), (4,)])),
        activation=draw(st.sampled_from(["tanh", "leaky_relu", "gelu", "none"])),
        norm=draw(st.sampled_from(["none", "none", "batch", "batch_unit"])),
        bias=draw(st.booleans()),
    )
    name = draw(st.sampled_from(["conv", "conv", "conv", *LAYERS]))
    torch.manual_seed(draw(st.integers(0, 999)))
    try:
        network = Network(skeleton, LAYERS[name], [0.3], [0.2]).double().eval()
    except ValueError:
        assume(False)
    for module in network.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            for tensor in (module.weight.data, module.bias.data, module.running_mean, module.running_var):
                tensor.uniform_(0.5, 2)
    return Case(skeleton, Wiring(name, rank=2), network)


@torch.no_grad()
def features(case: Case, images: Tensor) -> list[Tensor]:
    return case.network.features(images)


def last_lines(case: Case, dim: int, shifting: Shifting) -> list[Line]:
    """The line after every stage."""
    found = trace(case.skeleton, case.wiring, dim, shifting)
    numbers = [int(operation.layer.split(".")[1]) for operation, _ in found]
    return [found[max(i for i, n in enumerate(numbers) if n == stage)][1] for stage in range(len(case.skeleton.stages))]


def is_usual(case: Case) -> bool:
    """Whether the network is not linear, and no border is wider than half a kernel, no window wider than the map.

    Else more may hold than is predicted.
    """
    usual = case.skeleton.activation != "none"
    for stage, size in zip(case.skeleton.stages, case.skeleton.sizes(), strict=False):
        for dim, units in enumerate(stage.wired_size(size)):
            reach = stage.dilation[dim] * (stage.kernel_size[dim] - 1)
            usual &= 2 * stage.padding[dim] <= reach < size[dim]
            usual &= not stage.pool.endswith("blur") or stage.blur_size[dim] <= units
            usual &= not stage.pool.startswith("max_") or stage.pool_size[dim] < units
    return usual


def along(dim: int, delta: int) -> tuple[int, int]:
    return (delta, 0) if dim == 0 else (0, delta)


def apart(a: Tensor, b: Tensor) -> float:
    return float((a - b).abs().max()) if a.numel() else 0.0


@many
@given(cases())
def test_maps_on_a_circle(case):
    base = features(case, case.images)
    for dim, pixels in enumerate(case.skeleton.input_shape[1:]):
        moved = [features(case, case.images.roll(delta, 2 + dim)) for delta in range(pixels)]
        for stage, line in enumerate(last_lines(case, dim, "circle")):
            said, f = claim(line), base[stage]
            others = [moved[delta][stage] for delta in range(pixels)]
            if said.everywhere:
                check_circle(said, f, others, dim, line.stride, is_usual(case))
            elif line.stride < pixels and not selected(case) and is_usual(case):
                errors = [apart(others[d], f.roll(d // line.stride, 2 + dim)) for d in range(0, pixels, line.stride)]
                assert max(errors) > DIFFERENT, (stage, dim, line)


def check_circle(said: Claim, f: Tensor, others: list[Tensor], dim: int, stride: int, usual: bool) -> None:
    pixels, units = len(others), f.shape[2 + dim]
    for delta in range(1, pixels):
        if said.step and delta % said.step == 0:
            steps = next(m for m in range(pixels) if (m * stride - delta) % pixels == 0)
            assert apart(others[delta], f.roll(steps, 2 + dim)) < SAME
        rolled = torch.stack([f.roll(m, 2 + dim) for m in range(units)])  # (M, N, C, H', W')
        nearest = (rolled - others[delta]).flatten(2).abs().amax(2).amin(0)  # (N,)
        if said.moves and delta % said.moves == 0:
            assert nearest.max() < SAME
        elif usual:
            assert nearest.max() > DIFFERENT, (delta, said)


def selected(case: Case) -> bool:
    """Whether a choice is made that may happen to be the same for all of a few images."""
    return any(stage.pool in ("aps", "max_aps") for stage in case.skeleton.stages)


@many
@given(cases())
def test_maps_in_the_interior(case):
    base = features(case, case.images)
    for dim, pixels in enumerate(case.skeleton.input_shape[1:]):
        shifts = range(1 - pixels, pixels)
        moved = {d: features(case, zero_fill(case.images, along(dim, d))) for d in shifts if d}
        for stage, line in enumerate(last_lines(case, dim, "free")):
            said = claim(line)
            f = base[stage].movedim(2 + dim, 0)
            at_border: dict[int, float] = {}
            for d, found in moved.items():
                if d % line.stride:
                    continue
                g, steps = found[stage].movedim(2 + dim, 0), d // line.stride
                for unit in range(line.units):
                    if unit - steps not in said.units:
                        continue
                    if unit in said.units:
                        assert apart(g[unit], f[unit - steps]) < SAME, (stage, dim, d, unit, line)
                    else:
                        at_border[unit] = max(at_border.get(unit, 0), apart(g[unit], f[unit - steps]))
            assert all(error > DIFFERENT for error in at_border.values()), (stage, dim, at_border, line)


@many
@given(cases())
def test_the_answer_on_a_circle(case):
    with torch.no_grad():
        base = case.network(case.images)
        for dim, said in enumerate(invariances(case.skeleton, case.wiring, True)):
            for delta in range(1, case.skeleton.input_shape[1 + dim]):
                error = apart(case.network(case.images.roll(delta, 2 + dim)), base)
                if said.step and delta % said.step == 0:
                    assert error < SAME, (dim, delta, said)
                elif is_usual(case):
                    assert error > DIFFERENT, (dim, delta, said)


@many
@given(cases(), st.data())
def test_the_answer_for_content_on_black(case, data):
    said = invariances(case.skeleton, case.wiring, False)
    shift, place = [0, 0], [slice(None), slice(None)]
    for dim, each in enumerate(said):
        if each.step:
            side = len(each.content) - each.step * data.draw(st.integers(1, (len(each.content) - 1) // each.step))
            ends = [each.content[0], each.content[len(each.content) - side]]
            first = data.draw(st.sampled_from(ends))
            shift[dim] = data.draw(st.sampled_from([d for d in room(each, first, side) if d % each.step == 0]))
            place[dim] = slice(first, first + side)
    assert difference_on_black(case, place, shift) < SAME, (said, place, shift)


def room(said: Invariance, first: int, side: int) -> list[int]:
    """The shifts that keep ``side`` pixels from ``first`` on among those that may hold content."""
    return [start - first for start in said.content[: len(said.content) - side + 1]]


@torch.no_grad()
def difference_on_black(case: Case, place: list[slice], shift: list[int]) -> float:
    images = torch.zeros_like(case.images)
    index = (slice(None), slice(None), *place)
    images[index] = case.images[index]
    return apart(case.network(zero_fill(images, (shift[0], shift[1]))), case.network(images))


CIRCLE = Stage(2, (1, 1), (1, 1), (0, 0), (1, 1), "circular", "none", (2, 2))


@pytest.mark.parametrize(
    ("wiring", "changes", "circular", "on_black"),
    [
        ("conv", {}, 1, 1),
        ("conv", {"norm": "batch"}, 1, 1),
        ("conv", {"norm": "batch_unit"}, 0, 0),
        ("conv", {"readout": "flatten"}, 0, 0),
        ("local", {}, 0, 0),
        ("conv", {"stages": (replace(CIRCLE, stride=(2, 2)),)}, 2, 2),
        ("conv", {"stages": (replace(CIRCLE, pool="max"),)}, 2, 2),
        ("conv", {"stages": (replace(CIRCLE, pool="avg"),)}, 1, 1),
        ("conv", {"stages": (replace(CIRCLE, pool="aps"),)}, 1, 1),
        ("conv", {"stages": (replace(CIRCLE, kernel_size=(3, 3), padding=(1, 1), padding_mode="zeros"),)}, 0, 1),
        ("conv", {"stages": (replace(CIRCLE, kernel_size=(3, 3), padding=(1, 1), padding_mode="zeros", pool="aps"),)}, 0, 2),
        ("global_conv", {"stages": (replace(CIRCLE, padding_mode="zeros"),)}, 0, 0),
    ],
)
def test_what_single_parts_leave_of_invariance(wiring, changes, circular, on_black):
    skeleton = replace(Skeleton((1, 12, 16), 3, (CIRCLE,), "global_avg", (), "none", "none", True), **changes)
    assert [each.step for each in invariances(skeleton, Wiring(wiring), True)] == [circular] * 2
    assert [each.step for each in invariances(skeleton, Wiring(wiring), False)] == [on_black] * 2
