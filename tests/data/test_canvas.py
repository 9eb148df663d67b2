from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from convexp.data.canvas import cut_share, place, zero_fill, zero_fill_each

few = settings(deadline=None, max_examples=50)
seeds = st.integers(0, 99)
sizes = st.lists(st.integers(1, 6), min_size=1, max_size=2)


def pixels(size: list[int], seed: int, n: int = 3) -> Tensor:
    """Bytes without a black one, so that everything that is lost shows."""
    return torch.randint(1, 256, (n, 2, *size), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))


def slow(image: Tensor, shift: tuple[int, ...]) -> Tensor:
    """``T_δ x[c, k] = x[c, k - δ]`` inside, 0 outside; image (C, *size)."""
    moved = torch.zeros_like(image)
    for to in product(*(range(n) for n in image.shape[1:])):
        source = tuple(k - delta for k, delta in zip(to, shift, strict=True))
        if all(0 <= k < n for k, n in zip(source, image.shape[1:], strict=True)):
            moved[:, *to] = image[:, *source]
    return moved


@st.composite
def shifted(draw: st.DrawFn) -> tuple[Tensor, tuple[int, ...]]:
    size = draw(sizes)
    return pixels(size, draw(seeds)), tuple(draw(st.integers(-n, n)) for n in size)


@few
@given(sizes, st.integers(0, 7), seeds)
def test_place_puts_images_in_the_middle_and_loses_nothing(size, extra, seed):
    images = pixels(size, seed)
    canvas = max(size) + extra
    placed = place(images, canvas)
    assert placed.shape == (3, 2, *(canvas,) * len(size))
    assert placed.dtype == torch.uint8
    first = [(canvas - n) // 2 for n in size]
    window = tuple(slice(a, a + n) for a, n in zip(first, size, strict=True))
    assert torch.equal(placed[:, :, *window], images)
    assert placed.sum() == images.sum()
    assert all(0 <= (canvas - a - n) - a <= 1 for a, n in zip(first, size, strict=True))


@few
@given(sizes, seeds)
def test_without_a_canvas_images_stay(size, seed):
    images = pixels(size, seed)
    assert torch.equal(place(images, None), images)


@few
@given(shifted())
def test_zero_fill_is_the_definition(case):
    images, shift = case
    moved = zero_fill(images, shift)
    assert moved.dtype == images.dtype
    assert torch.equal(moved, torch.stack([slow(image, shift) for image in images]))


def test_a_shift_goes_down_and_right():
    image = torch.zeros(1, 1, 3, 4)
    image[0, 0, 0, 1] = 1
    assert zero_fill(image, (2, 1)).nonzero().tolist() == [[0, 0, 2, 2]]


@few
@given(sizes, st.data(), seeds)
def test_zero_fill_each_is_zero_fill_image_by_image(size, data, seed):
    images = pixels(size, seed)
    shifts = [[data.draw(st.integers(-n, n)) for n in size] for _ in images]
    moved = zero_fill_each(images, torch.tensor(shifts))
    assert moved.dtype == images.dtype
    one_by_one = [zero_fill(image[None], tuple(shift)) for image, shift in zip(images, shifts, strict=True)]
    assert torch.equal(moved, torch.cat(one_by_one))


@few
@given(shifted())
def test_shifts_leave_the_images_they_are_given(case):
    images, shift = case
    before = images.clone()
    zero_fill(images, shift)
    zero_fill_each(images, torch.tensor([shift] * len(images)))
    place(images, 9)
    assert torch.equal(images, before)


@few
@given(sizes, st.data(), seeds)
def test_nothing_is_cut_off_within_the_margin_and_the_way_back_restores(size, data, seed):
    images = pixels(size, seed)
    margin = data.draw(st.integers(0, 4))
    canvas = place(images, max(size) + 2 * margin)
    shift = tuple(data.draw(st.integers(-margin, margin)) for _ in size)
    assert cut_share(canvas, shift) == 0
    assert torch.equal(zero_fill(zero_fill(canvas, shift), tuple(-n for n in shift)), canvas)


@few
@given(shifted())
def test_cut_share_is_the_brightness_that_is_lost(case):
    images, shift = case
    moved = torch.stack([slow(image, shift) for image in images])
    assert cut_share(images, shift) == pytest.approx(1 - int(moved.sum()) / int(images.sum()), abs=1e-12)


@few
@given(sizes, seeds, st.sampled_from([-1, 1]))
def test_everything_is_cut_off_by_a_shift_of_the_whole_image(size, seed, sign):
    images = pixels(size, seed)
    for dim, n in enumerate(size):
        shift = tuple(sign * n if dim == d else 0 for d in range(len(size)))
        assert cut_share(images, shift) == 1
        assert not zero_fill(images, shift).any()
