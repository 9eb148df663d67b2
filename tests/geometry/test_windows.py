import math
from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from convexp.geometry import extent, output_size, receptive_field, same_padding, transposed_output_size

few = settings(deadline=None, max_examples=60)
kernels = st.integers(1, 5)
steps = st.integers(1, 4)


@st.composite
def windows(draw: st.DrawFn) -> tuple[int, int, int, int, int]:
    k, s, p, d = draw(kernels), draw(steps), draw(st.integers(0, 3)), draw(st.integers(1, 3))
    least = max(1, d * (k - 1) + 1 - 2 * p)
    return draw(st.integers(least, least + 9)), k, s, p, d


@few
@given(windows(), windows())
def test_output_size_is_that_of_torch(rows, columns):
    i, k, s, p, d = zip(rows, columns, strict=True)
    made = F.conv2d(torch.zeros(1, 1, *i), torch.zeros(1, 1, *k), None, s, p, d)
    assert output_size(i, k, s, p, d) == tuple(made.shape[2:])


@few
@given(windows())
def test_output_size_takes_any_number_of_dimensions(window):
    i, k, s, p, d = window
    (one,) = output_size([i], [k], [s], [p], [d])
    assert output_size([i] * 3, [k] * 3, [s] * 3, [p] * 3, [d] * 3) == (one,) * 3
    assert output_size([], [], [], [], []) == ()


@few
@given(windows())
def test_last_window_fits_and_the_next_would_not(window):
    i, k, s, p, d = window
    (o,) = output_size([i], [k], [s], [p], [d])
    assert (o - 1) * s + extent(k, d) <= i + 2 * p < o * s + extent(k, d)


@few
@given(windows(), st.integers(1, 5))
def test_too_large_a_kernel_is_named(window, excess):
    _, k, s, p, d = window
    i = extent(k, d) - 2 * p - excess
    with pytest.raises(ValueError, match=f"kernel_size={k}.* larger than the padded input"):
        output_size([i], [k], [s], [p], [d])


def test_settings_of_unequal_length_are_refused():
    with pytest.raises(ValueError, match="zip"):
        output_size([5, 5], [3, 3], [1], [0, 0], [1, 1])


@few
@given(st.integers(1, 30), st.integers(0, 4), steps, st.integers(1, 3))
def test_same_padding(i, half, s, d):
    k = 2 * half + 1
    p = same_padding([k], [d])
    assert output_size([i], [k], [1], p, [d]) == (i,)
    assert output_size([i], [k], [s], p, [d]) == (math.ceil(i / s),)


@pytest.mark.parametrize(("kernel", "named"), [((2, 2), 2), ((3, 4), 4), ((6,), 6)])
def test_same_padding_of_an_even_kernel(kernel, named):
    with pytest.raises(ValueError, match=f"odd kernel_size, got {named}; use {named - 1} or {named + 1}"):
        same_padding(kernel, (1,) * len(kernel))


@few
@given(kernels, st.integers(1, 4))
def test_extent_spans_the_taps(k, d):
    taps = [d * a for a in range(k)]
    assert extent(k, d) == taps[-1] - taps[0] + 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"stride": [0]}, "stride=0: should be 1 or more"),
        ({"kernel_size": [-1]}, "kernel_size=-1: should be 1 or more"),
        ({"dilation": [0]}, "dilation=0: should be 1 or more"),
        ({"padding": [-4]}, "padding=-4: should be 0 or more"),
    ],
)
def test_settings_that_mean_nothing(change, message):
    window = {"kernel_size": [3], "stride": [1], "padding": [0], "dilation": [1]} | change
    for size in (output_size, partial(transposed_output_size, output_padding=[0])):
        with pytest.raises(ValueError, match=message):
            size([5], **window)
    if "padding" not in change:
        with pytest.raises(ValueError, match=message):
            receptive_field(*(window[name] for name in ("kernel_size", "stride", "dilation")))
