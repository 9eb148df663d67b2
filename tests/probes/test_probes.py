from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from nets import STAGE, constant, data, few, in_the_middle, is_picture, make, summing
from PIL import Image
from sheets import framed

from convexp.data.canvas import cut_off_share, zero_fill
from convexp.layers import Conv2d, Dense2d, GlobalConv2d, LocallyConnected2d, LowRankLocallyConnected2d
from convexp.pictures.sheet import enlarge
from convexp.probes import NotApplicableError, Sample
from convexp.probes.behaviour.consistency import Consistency
from convexp.probes.behaviour.feature_maps import FeatureMaps
from convexp.probes.behaviour.shift_map import ShiftMap
from convexp.probes.pictures import SIDE, evenly_spaced, few_colours, full_colour, weight_colours, weight_sheet
from convexp.probes.predict import predict
from convexp.probes.sample import BATCH_SIZE
from convexp.probes.structure.kernels import Kernels


@pytest.fixture(autouse=True)
def without_gradients():
    with torch.no_grad():
        yield


@pytest.mark.parametrize("answer", range(3))
def test_shift_map_of_a_constant_network_is_the_share_of_its_class(answer):
    images, labels = data()
    share = float((labels == answer).double().mean())
    made = ShiftMap(max_shift=2, max_images=40).measure(constant(answer), Sample(images, labels))
    assert made.maps["accuracy"] == [[share] * 5] * 5
    assert made.maps["radius"] == pytest.approx([share] * 3)
    assert made.numbers["mean"] == pytest.approx(share)
    assert (made.numbers["centre"], made.numbers["worst"], made.numbers["drop"]) == (share, share, 0)


def test_a_network_that_sums_pixels_is_invariant_while_nothing_is_cut_off():
    images = torch.cat([in_the_middle(torch.full((5, 1, 4, 4), level, dtype=torch.uint8), 8) for level in (50, 200)])
    labels = torch.arange(2).repeat_interleave(5)
    network = summing(125 / 255 / 4)
    shifts = ShiftMap(max_shift=2, max_images=10).measure(network, Sample(images, labels)).numbers
    assert (shifts["centre"], shifts["worst"], shifts["drop"], shifts["cut"]) == (1, 1, 0, 0)
    pairs = Consistency(max_shift=2, pairs=5, max_images=10, seed=0).measure(network, Sample(images, labels)).numbers
    assert (pairs["all"], pairs["correct"]) == (1, 1)
    cut = ShiftMap(max_shift=4, max_images=10).measure(network, Sample(images, labels)).numbers
    assert cut["drop"] > 0
    assert cut["cut"] > 0


@few
@given(st.integers(0, 99), st.integers(0, 3))
def test_shift_map_is_the_accuracy_at_every_shift(seed, reach):
    images, _ = data(seed=seed)
    network = make(seed=seed)
    labels = network(zero_fill(images, (1, 0))).argmax(1)  # so that the map is not symmetric
    made = ShiftMap(max_shift=reach, max_images=40).measure(network, Sample(images, labels))
    grid = made.maps["accuracy"]
    steps = range(-reach, reach + 1)
    expected = [
        [float((network(zero_fill(images, (down, right))).argmax(1) == labels).double().mean()) for right in steps]
        for down in steps
    ]
    assert grid == expected
    plain = float((network(images).argmax(1) == labels).double().mean())
    assert grid[reach][reach] == made.numbers["centre"] == made.maps["radius"][0] == plain
    if reach:
        assert grid[reach + 1][reach] == 1
    flat = [a for row in grid for a in row]
    assert made.numbers["worst"] == min(flat)
    assert made.numbers["mean"] == pytest.approx(sum(flat) / len(flat))
    assert made.numbers["drop"] == pytest.approx(plain - min(flat))
    for r, mean in enumerate(made.maps["radius"]):
        ring = [grid[reach + i][reach + j] for i in steps for j in steps if max(abs(i), abs(j)) == r]
        assert mean == pytest.approx(sum(ring) / len(ring))


@pytest.mark.parametrize("reach", range(6))
def test_shift_map_reports_the_worst_cut(reach):
    images, labels = data()
    made = ShiftMap(max_shift=reach, max_images=40).measure(constant(0), Sample(images, labels))
    steps = range(-reach, reach + 1)
    assert made.numbers["cut"] == max(cut_off_share(images, (down, right)) for down in steps for right in steps)
    assert (made.numbers["cut"] == 0) == (reach <= 2)


@pytest.mark.parametrize("reach", [0, 2, 6])
def test_shift_map_draws_a_picture(reach):
    made = ShiftMap(max_shift=reach, max_images=5).measure(constant(0), Sample(*data()))
    assert is_picture(made.pictures["accuracy"])
    assert made.pictures["accuracy"].float().std() > 0
    assert made.protocol == "zero_fill"


@pytest.mark.parametrize("probe", [ShiftMap(1, 7), Consistency(1, 3, 7, 0)], ids=["shift_map", "consistency"])
def test_the_first_so_many_images_are_measured(probe):
    images, labels = data()
    network = make()
    made, expected = probe.measure(network, Sample(images, labels)), probe.measure(network, Sample(images[:7], labels[:7]))
    assert made.numbers == expected.numbers
    assert made.numbers["n"] == 7 * getattr(probe, "pairs", 1)
    all_of_them = replace(probe, max_images=10**6).measure(network, Sample(images, labels))
    assert all_of_them.numbers["n"] == 40 * getattr(probe, "pairs", 1)


def test_consistency_is_a_function_of_its_seed():
    images, labels = data(200)
    network = make(seed=3)

    def numbers(seed: int) -> dict[str, float]:
        return Consistency(max_shift=2, pairs=3, max_images=200, seed=seed).measure(network, Sample(images, labels)).numbers

    first = numbers(0)
    torch.rand(1)
    assert numbers(0) == first
    assert len({numbers(seed)["all"] for seed in range(5)}) > 1
    assert 0 < first["all"] < 1


@few
@given(st.integers(0, 99))
def test_consistency_without_shifts_is_one(seed):
    images, labels = data(seed=seed)
    network = make(seed=seed)
    labels[0] = network(images[:1]).argmax(1)[0]
    made = Consistency(max_shift=0, pairs=2, max_images=40, seed=seed).measure(network, Sample(images, labels))
    assert made.numbers["all"] == made.numbers["correct"] == 1
    assert made.numbers["n"] == 80
    assert made.protocol == "zero_fill"


def test_consistency_is_the_mean_over_all_pairs():
    """One bright row of three: shifts of -1, 0, 1 down are three predictions, equal with probability 1/3."""
    network = make(stages=(), input_shape=(1, 3, 3))
    network.head.classes.weight.copy_(torch.eye(3).repeat_interleave(3, 1))
    network.head.classes.bias.zero_()
    images = torch.zeros(3000, 1, 3, 3, dtype=torch.uint8)
    images[:, :, 1] = 255
    labels = torch.arange(3000).clamp(max=1)  # the first of another class
    made = Consistency(max_shift=1, pairs=3, max_images=3000, seed=0).measure(network, Sample(images, labels))
    assert made.numbers["all"] == pytest.approx(1 / 3, abs=0.03)
    assert made.numbers["correct"] == pytest.approx(made.numbers["all"], abs=0.001)


def test_consistency_apart_for_the_correct():
    images, labels = data()
    network = make(seed=3)
    right = network(images).argmax(1)
    probe = Consistency(max_shift=2, pairs=4, max_images=40, seed=0)
    assert "correct" not in probe.measure(network, Sample(images, (right + 1) % 3)).numbers
    everything = probe.measure(network, Sample(images, right)).numbers
    assert everything["correct"] == everything["all"]
    images[:20] = 0  # black stays black
    half = torch.where(torch.arange(40) < 20, network(images).argmax(1), (right + 1) % 3)
    some = probe.measure(network, Sample(images, half)).numbers
    assert some["correct"] == 1
    assert some["all"] < 1
    assert probe.measure(network, Sample(images, labels)).numbers["all"] == some["all"]


def test_predict_works_in_batches():
    images, labels = data(BATCH_SIZE + 3)
    network = make()
    assert torch.equal(predict(network, Sample(images, labels)), network(images).argmax(1))


@pytest.mark.parametrize("wiring", [Conv2d, Dense2d, GlobalConv2d, LocallyConnected2d, LowRankLocallyConnected2d])
@pytest.mark.parametrize("colours", [1, 2, 3])
def test_kernels_draws_the_first_layer(wiring, colours):
    network = make(wiring, input_shape=(colours, 8, 8))
    images = torch.zeros(2, colours, 8, 8, dtype=torch.uint8)
    probe = Kernels(channels=4, locations=5)
    made = probe.measure(network, Sample(images, torch.zeros(2).long()))
    kernels = network.wired_layers()[0][1].kernels()
    picture = made.pictures["stage0"]
    assert is_picture(picture)
    tiles, shared = framed(picture), kernels.shape[1] == 1  # then the channels make a block: 4 = 2x2, 6 = 3x2
    assert (len(tiles), len(tiles[0])) == ((2, 2) if shared else (4, 5))
    columns = [0] if shared else evenly_spaced(kernels.shape[1], 5)
    shown = enlarge(weight_colours(kernels[:4, columns].detach()), SIDE)  # (4, columns, h, w, 3)
    assert np.array_equal(np.array(tiles).reshape(shown.shape), shown)
    assert made.numbers == {}
    everything = Kernels(channels=10**6, locations=10**6).measure(network, Sample(images, torch.zeros(2).long()))
    tiles = framed(everything.pictures["stage0"])
    assert (len(tiles), len(tiles[0])) == ((3, 2) if shared else (6, kernels.shape[1]))


def test_kernels_of_a_network_without_stages():
    with pytest.raises(NotApplicableError, match="no layer on images"):
        Kernels(channels=4, locations=4).measure(make(stages=()), Sample(*data()))


def test_kernels_of_a_layer_that_cannot_show_them():
    def plain(in_channels: int, out_channels: int, kernel_size: Any, padding: Any, **more: Any) -> torch.nn.Module:
        return torch.nn.Sequential(torch.nn.Conv2d(in_channels, out_channels, kernel_size, padding=padding), torch.nn.ReLU())

    assert Kernels(channels=4, locations=4).measure(make(plain), Sample(*data())).pictures  # found within the wiring

    def bare(in_channels: int, out_channels: int, **more: Any) -> torch.nn.Module:
        return torch.nn.UpsamplingNearest2d(scale_factor=1)

    with pytest.raises(NotApplicableError):
        Kernels(channels=4, locations=4).measure(make(bare), Sample(*data()))


def test_tiles_share_one_scale():
    kernels = torch.tensor([1.0, -1.0, 0.0, 0.5]).view(2, 2, 1, 1, 1)
    positive, negative, zero, half = weight_colours(kernels).reshape(4, 3).astype(int)
    assert positive[0] > positive[2]  # red
    assert negative[2] > negative[0]  # blue
    assert abs(zero - zero[0]).max() <= 2  # grey
    assert half[0] > half[2]
    assert not np.array_equal(half, positive)
    assert full_colour(kernels) == pytest.approx(3 * (2.25 / 3) ** 0.5)


@few
@given(st.floats(0.01, 100))
def test_weights_have_the_same_colours_whatever_their_scale(scale):
    weights = torch.randn(3, 2, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    one, other = (weight_colours(factor * weights).astype(int) for factor in (1, scale))
    assert abs(one - other).max() <= 8  # a step of the colour map, where rounding falls on its other side
    assert full_colour(scale * weights) == pytest.approx(scale * full_colour(weights))


def test_tiles_of_zero_weights():
    assert is_picture(weight_sheet(torch.zeros(2, 3, 1, 3, 3), "nothing", ""))
    assert len(np.unique(weight_colours(torch.zeros(2, 3, 3, 3, 3)))) == 1


def test_places_without_a_weight_are_told_from_weights_of_zero():
    for channels in (1, 3):
        weights = torch.ones(channels, 1, 2)
        weights[:, 0, 1] = 0
        with_gap = torch.cat((weights, torch.full((channels, 1, 1), float("nan"))), 2)
        one, zero, outside = weight_colours(with_gap)[0].tolist()
        assert [one, zero] == weight_colours(weights)[0].tolist()
        assert outside not in (one, zero)


def test_feature_maps_of_the_identity_are_the_images():
    """A row per image: the image, then its channels, from the smallest value of the stage (black) to the largest (white)."""
    network = make(stages=(replace(STAGE, channels=2),), activation="none")
    wired = network.stages[0].wiring
    wired.weight.zero_()
    wired.weight[:, 0, 1, 1] = torch.tensor([1.0, 0.5])  # the image, and half of it
    wired.bias.zero_()
    images = torch.zeros(3, 1, 8, 8, dtype=torch.uint8)
    images[0, 0, 2, 5], images[1, 0, 6, 1] = 255, 51
    made = FeatureMaps(max_images=2, channels=5).measure(network, Sample(images, torch.zeros(3).long()))
    tiles = framed(made.pictures["stage0"])
    assert [len(row) for row in tiles] == [3, 3]

    def pixel(row: int, column: int, at: tuple[int, int]) -> int:
        zoom = len(tiles[row][column]) // 8
        values = tiles[row][column][at[0] * zoom + zoom // 2, at[1] * zoom + zoom // 2]
        assert len(set(values.tolist())) == 1  # grey
        return int(values[0])

    assert [pixel(0, column, (2, 5)) for column in range(3)] == [255, 255, 128]
    assert [pixel(1, column, (6, 1)) for column in range(3)] == [51, 51, 26]  # in the scale of the whole stage
    assert [pixel(1, column, (2, 5)) for column in range(3)] == [0, 0, 0]
    with pytest.raises(NotApplicableError, match="no feature maps"):
        FeatureMaps(2, 2).measure(make(stages=()), Sample(images, torch.zeros(3).long()))


@few
@given(st.integers(1, 400), st.integers(0, 99))
def test_files_have_the_pixels_of_the_pictures(colours, seed):
    draw = torch.Generator().manual_seed(seed)
    palette = torch.randint(0, 256, (colours, 3), generator=draw, dtype=torch.uint8)
    pixels = palette[torch.randint(0, colours, (20, 30), generator=draw)].numpy()
    small = few_colours(Image.fromarray(pixels))
    assert np.array_equal(np.asarray(small.convert("RGB")), pixels)
    assert small.mode == ("P" if len(np.unique(pixels.reshape(-1, 3), axis=0)) <= 256 else "RGB")
