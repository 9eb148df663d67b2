from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from convexp.geometry import resolve_padding
from convexp.geometry.skeleton import Skeleton, Stage

few = settings(deadline=None, max_examples=50)
STAGE = Stage(4, (3, 3), (1, 1), (1, 1), (1, 1), "zeros", "none", (2, 2))
SKELETON = Skeleton((1, 8, 8), 10, (STAGE,), "flatten", (5,), "relu", "none", True)


def stage(
    dims: int = 2, channels: int = 4, k: int = 3, s: int = 1, p: int = 1, pool: str = "none", n: int = 2, **more
) -> Stage:
    plain = Stage(channels, (k,) * dims, (s,) * dims, (p,) * dims, (1,) * dims, "zeros", pool, (n,) * dims)  # type: ignore[arg-type]
    return replace(plain, **more)


stages = st.builds(
    lambda k, s, p, pool, n: (k, s, min(p, k // 2), pool, n),
    st.integers(1, 4),
    st.integers(1, 2),
    st.integers(0, 2),
    st.sampled_from(["none", "max", "avg"]),
    st.integers(1, 2),
)


@few
@given(st.lists(stages, max_size=3), st.integers(1, 2), st.integers(130, 140))
def test_sizes_are_those_of_torch(rows, dims, length):
    conv, pools = (nn.Conv1d, nn.MaxPool1d) if dims == 1 else (nn.Conv2d, nn.MaxPool2d)
    x, expected = torch.zeros(1, 1, *(length,) * dims), []
    for k, s, p, pool, n in rows:
        expected.append(tuple(x.shape[2:]))
        x = conv(1, 1, k, s, p)(x)
        x = x if pool == "none" else pools(n)(x)
    skeleton = replace(SKELETON, input_shape=(1, *(length,) * dims), stages=tuple(stage(dims, 4, *row) for row in rows))
    assert skeleton.sizes() == (*expected, tuple(x.shape[2:]))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (stage(k=9, p=0), "stage 1: kernel_size=9"),
        (stage(pool="max", n=9), "stage 1: pool_size=9"),
        (stage(k=17, p=8, padding_mode="reflect"), "stage 1: padding=8 with padding_mode=reflect is at most 7"),
        (stage(k=19, p=9, padding_mode="circular"), "stage 1: padding=9 with padding_mode=circular is at most 8"),
    ],
)
def test_a_stage_that_does_not_fit_is_named(wrong, message):
    skeleton = replace(SKELETON, stages=(stage(), wrong))
    with pytest.raises(ValueError, match=message):
        skeleton.sizes()


@pytest.mark.parametrize(("mode", "most"), [("reflect", 7), ("circular", 8)])
def test_the_widest_border_that_fits_is_taken(mode, most):
    assert stage(k=2 * most + 1, p=most, padding_mode=mode).wired_size((8, 8)) == (8, 8)


counts = st.lists(st.integers(1, 50), max_size=3)


@few
@given(counts, counts, st.floats(1e-6, 50))
def test_scaled(channels, hidden, width):
    skeleton = replace(SKELETON, stages=tuple(stage(channels=c) for c in channels), hidden=tuple(hidden))
    assert skeleton.scaled(1) == skeleton
    scaled = skeleton.scaled(width)
    for n, made in zip([*channels, *hidden], [*(s.channels for s in scaled.stages), *scaled.hidden], strict=True):
        assert made >= 1
        assert made == 1 or abs(made - n * width) <= 0.5
    assert scaled.sizes() == skeleton.sizes()
    assert (scaled.input_shape, scaled.classes) == (skeleton.input_shape, skeleton.classes)


@pytest.mark.parametrize(
    ("padding", "kernel", "dilation", "expected"),
    [
        ("same", (3, 5), (1, 2), (1, 4)),
        ("valid", (3, 5), (1, 2), (0, 0)),
        (2, (3, 5), (1, 1), (2, 2)),
        (0, (3,), (1,), (0,)),
    ],
)
def test_resolve_padding(padding, kernel, dilation, expected):
    assert resolve_padding(padding, kernel, dilation) == expected
