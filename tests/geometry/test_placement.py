import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convexp.geometry.placement import OneOf, Uniform, largest_shift, position_offsets, shift_offsets, window_size

few = settings(deadline=None, max_examples=60)
sizes = st.lists(st.integers(2, 9), min_size=1, max_size=3).map(tuple)


@few
@given(sizes, st.integers(0, 5))
def test_positions_keep_the_image_on_the_canvas(size, extra):
    canvas = tuple(n + extra for n in size)
    assert position_offsets("centre", size, canvas) == OneOf(((extra // 2,) * len(size),))
    if extra:
        assert position_offsets("random", size, canvas) == Uniform((0,) * len(size), (extra,) * len(size))
    else:
        with pytest.raises(ValueError, match=r"data.canvas should be larger"):
            position_offsets("random", size, canvas)
    corner = [extra] * len(size)
    assert position_offsets(corner, size, canvas) == OneOf((tuple(corner),))
    for outside in ([extra + 1, *corner[1:]], [-1, *corner[1:]], [corner, [-1, *corner[1:]]]):
        with pytest.raises(ValueError, match="should lie between"):
            position_offsets(outside, size, canvas)


@pytest.mark.parametrize("choice", ["middle", 3, 0.5, [], [1], [1, 2, 3], [[1, 2], [3]]])
def test_what_is_no_position(choice):
    with pytest.raises(ValueError, match="should"):
        position_offsets(choice, (2, 2), (9, 9))


@few
@given(sizes, st.data())
def test_an_amount_is_pixels_or_the_share_of_each_side(size, data):
    pixels = data.draw(st.integers(1, min(size) - 1))
    assert shift_offsets(pixels, size) == Uniform((-pixels,) * len(size), (pixels,) * len(size))
    share = data.draw(st.floats(0, 0.5))
    reach = largest_shift(shift_offsets(share, size))
    assert all(abs(r - share * n) <= 0.5 for r, n in zip(reach, size, strict=True))


def test_no_shift_is_a_fixed_one():
    assert shift_offsets(0, (8, 8)) == shift_offsets(0.0, (8, 8)) == shift_offsets([0, 0], (8, 8)) == OneOf(((0, 0),))


def test_a_quarter_of_mnist_is_seven_pixels():
    assert shift_offsets(0.25, (28, 28)) == Uniform((-7, -7), (7, 7))


@pytest.mark.parametrize("choice", [8, -1, 1.0, -0.1, math.nan, "far", [8, 0], [0, -8], [1], [], [[1, 2], [3]]])
def test_what_is_no_shift(choice):
    with pytest.raises(ValueError, match="should"):
        shift_offsets(choice, (8, 8))


@few
@given(sizes, st.data())
def test_a_moved_window_stays_on_the_canvas(size, data):
    reach = tuple(data.draw(st.integers(0, (n - 1) // 2)) for n in size)
    largest = window_size(size, None, reach)
    assert largest == tuple(n - 2 * r for n, r in zip(size, reach, strict=True))
    window = tuple(data.draw(st.integers(1, n)) for n in largest)
    for n, w, r in zip(size, window_size(size, window, reach), reach, strict=True):
        start = (n - w) // 2
        assert start - r >= 0
        assert start + r + w <= n
    with pytest.raises(ValueError, match="leave"):
        window_size(size, (*largest[:-1], largest[-1] + 1), reach)
