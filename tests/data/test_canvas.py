from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from convexp.data.canvas import (
    circular,
    circular_each,
    crop,
    crop_each,
    cut_off_share,
    place,
    place_each,
    shift_images,
    zero_fill,
    zero_fill_each,
)

few = settings(deadline=None, max_examples=50)
seeds = st.integers(0, 99)
sizes = st.lists(st.integers(1, 6), min_size=1, max_size=2)


def pixels(size: list[int], seed: int, n: int = 3) -> Tensor:
    """Bytes without a black one, so that everything that is lost shows."""
    return torch.randint(1, 256, (n, 2, *size), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))


def slow(image: Tensor, shift: tuple[int, ...], around: bool = False) -> Tensor:
    """``T_δ x[c, k] = x[c, k - δ]`` inside, outside 0 or ``k - δ mod n``; image (C, *size)."""
    moved = torch.zeros_like(image)
    for to in product(*(range(n) for n in image.shape[1:])):
        source = tuple(k - delta for k, delta in zip(to, shift, strict=True))
        if around:
            source = tuple(k % n for k, n in zip(source, image.shape[1:], strict=True))
        if all(0 <= k < n for k, n in zip(source, image.shape[1:], strict=True)):
            moved[:, *to] = image[:, *source]
    return moved


@st.composite
def shifted(draw: st.DrawFn) -> tuple[Tensor, tuple[int, ...]]:
    size = draw(sizes)
    return pixels(size, draw(seeds)), tuple(draw(st.integers(-n, n)) for n in size)


@few
@given(sizes, st.data(), seeds)
def test_place_puts_images_where_they_belong_and_loses_nothing(size, data, seed):
    images = pixels(size, seed)
    canvas = tuple(n + data.draw(st.integers(0, 5)) for n in size)
    spots = [tuple(data.draw(st.integers(0, c - n)) for c, n in zip(canvas, size, strict=True)) for _ in images]
    each = place_each(images, canvas, torch.tensor(spots))
    assert each.shape == (3, 2, *canvas)
    assert each.dtype == torch.uint8
    assert torch.equal(each.flatten(1).sum(1), images.flatten(1).sum(1))
    for image, placed, spot in zip(images, each, spots, strict=True):
        window = tuple(slice(a, a + n) for a, n in zip(spot, size, strict=True))
        assert torch.equal(placed[:, *window], image)
        assert torch.equal(place(image[None], canvas, spot)[0], placed)


@few
@given(sizes, seeds)
def test_on_a_canvas_of_their_size_images_stay(size, seed):
    images = pixels(size, seed)
    assert torch.equal(place(images, tuple(size), (0,) * len(size)), images)


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
def test_circular_is_the_definition(case):
    images, shift = case
    assert torch.equal(circular(images, shift), torch.stack([slow(image, shift, around=True) for image in images]))


@few
@given(sizes, st.data(), seeds)
def test_circular_each_is_circular_image_by_image_and_loses_nothing(size, data, seed):
    images = pixels(size, seed)
    shifts = [[data.draw(st.integers(-2 * n, 2 * n)) for n in size] for _ in images]
    moved = circular_each(images, torch.tensor(shifts))
    one_by_one = [circular(image[None], tuple(shift)) for image, shift in zip(images, shifts, strict=True)]
    assert torch.equal(moved, torch.cat(one_by_one))
    assert torch.equal(circular_each(moved, -torch.tensor(shifts)), images)


@few
@given(sizes, st.data(), seeds)
def test_a_crop_shows_what_lies_there_with_no_black_in_it(size, data, seed):
    images = pixels(size, seed)
    window = tuple(data.draw(st.integers(1, n)) for n in size)
    reach = [(n - w) // 2 for n, w in zip(size, window, strict=True)]
    shifts = [[data.draw(st.integers(-r, r)) for r in reach] for _ in images]
    seen = crop_each(images, window, torch.tensor(shifts))
    assert bool((seen > 0).all())
    for image, view, shift in zip(images, seen, shifts, strict=True):
        assert torch.equal(crop(image[None], window, tuple(shift))[0], view)
        for to in product(*(range(n) for n in window)):
            source = tuple(k + r - delta for k, r, delta in zip(to, reach, shift, strict=True))
            assert torch.equal(view[:, *to], image[:, *source])


@few
@given(sizes, st.data(), seeds, st.booleans())
def test_where_nothing_leaves_the_three_protocols_agree(size, data, seed, each):
    """An image with a black margin: what moves within it is the same by any of them, seen through the same window."""
    margin = data.draw(st.integers(0, 3))
    canvas = tuple(n + 4 * margin for n in size)
    images = place(pixels(size, seed), canvas, (2 * margin,) * len(size))
    window = tuple(n + 2 * margin for n in size)
    shift = tuple(data.draw(st.integers(-margin, margin)) for _ in size)
    by = torch.tensor([shift] * len(images)) if each else shift
    still = (0,) * len(size)
    zero, around = (crop(shift_images(images, by, kind, canvas), window, still) for kind in ("zero_fill", "circular"))
    assert torch.equal(zero, around)
    assert torch.equal(zero, shift_images(images, by, "crop", window))


@few
@given(shifted())
def test_shifts_leave_the_images_they_are_given(case):
    images, shift = case
    before = images.clone()
    for kind in ("zero_fill", "circular"):
        shift_images(images, shift, kind, tuple(images.shape[2:]))
        shift_images(images, torch.tensor([shift] * len(images)), kind, tuple(images.shape[2:]))
    place(images, (9,) * len(shift), (0,) * len(shift))
    assert torch.equal(images, before)


@few
@given(sizes, st.data(), seeds)
def test_nothing_is_cut_off_within_the_margin_and_the_way_back_restores(size, data, seed):
    images = pixels(size, seed)
    margin = data.draw(st.integers(0, 4))
    canvas = place(images, tuple(n + 2 * margin for n in size), (margin,) * len(size))
    shift = tuple(data.draw(st.integers(-margin, margin)) for _ in size)
    assert cut_off_share(canvas, shift) == 0
    assert torch.equal(zero_fill(zero_fill(canvas, shift), tuple(-n for n in shift)), canvas)


@few
@given(shifted())
def test_cut_share_is_the_brightness_that_is_lost(case):
    images, shift = case
    moved = torch.stack([slow(image, shift) for image in images])
    assert cut_off_share(images, shift) == pytest.approx(1 - int(moved.sum()) / int(images.sum()), abs=1e-12)


@few
@given(sizes, seeds, st.sampled_from([-1, 1]))
def test_everything_is_cut_off_by_a_shift_of_the_whole_image(size, seed, sign):
    images = pixels(size, seed)
    for dim, n in enumerate(size):
        shift = tuple(sign * n if dim == d else 0 for d in range(len(size)))
        assert cut_off_share(images, shift) == 1
        assert not zero_fill(images, shift).any()
