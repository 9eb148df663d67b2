"""What is exactly invariant or equivariant measures so, and what is not does not; no training."""

import copy
import itertools
import math
import statistics
from dataclasses import replace
from functools import partial

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from nets import STAGE, data, few, make, textures
from torch.nn import functional as F

from convexp.data.canvas import circular, place, zero_fill
from convexp.geometry.skeleton import ReceptiveField
from convexp.layers import Conv2d, Dense2d, GlobalConv2d, LocallyConnected2d, LowRankLocallyConnected2d
from convexp.probes import NotApplicableError, Sample
from convexp.probes.behaviour.absolute_position import AbsolutePosition, position_accuracy
from convexp.probes.behaviour.consistency import Consistency
from convexp.probes.behaviour.controls import other_class_indices, other_class_pairs
from convexp.probes.behaviour.equivariance import Equivariance, interior_units
from convexp.probes.behaviour.flip_rate import FlipRate
from convexp.probes.behaviour.invariance_by_layer import InvarianceByLayer
from convexp.probes.behaviour.local_equivariance import LocalEquivariance, derivative
from convexp.probes.behaviour.localisation import Localisation
from convexp.probes.behaviour.relative_stability import RelativeStability, deform, displacement_field
from convexp.probes.behaviour.sensitivity_map import SensitivityMap
from convexp.probes.behaviour.shift_features import shift_features
from convexp.probes.behaviour.shift_grid import ShiftGrid, random_shifts
from convexp.probes.behaviour.shift_map import ShiftMap
from convexp.probes.predict import logits
from convexp.probes.sample import BATCH_SIZE

seeds = st.integers(0, 50)


@pytest.fixture(autouse=True)
def without_gradients():
    with torch.no_grad():
        yield


def stages(n: int = 2, **changes):
    return tuple(replace(STAGE, **{"padding_mode": "circular", **changes}) for _ in range(n))


@few
@given(seeds, st.sampled_from(["global_avg", "global_max"]), st.sampled_from(["relu", "tanh"]))
def test_circular_convolutions_and_global_pooling_are_invariant(seed, readout, activation):
    network, sample = make(seed=seed, stages=stages(), readout=readout, activation=activation), textures(seed=seed)
    consistency = Consistency(max_shift=7, pairs=3, max_images=30, seed=seed, protocol="circular").measure(network, sample)
    assert consistency.numbers["all"] == 1
    assert consistency.protocol == "circular"
    flips = FlipRate(pixels=1, max_images=30, protocol="circular").measure(network, sample).numbers
    assert flips["all"] == 0
    assert flips["change"] < 1e-5
    shifts = ShiftMap(max_shift=3, max_images=30, protocol="circular").measure(network, sample).numbers
    assert shifts["drop"] == 0
    assert "cut" not in shifts
    layers = InvarianceByLayer(max_shift=2, max_images=30, protocol="circular").measure(network, sample).numbers
    assert layers["readout/cosine"] == pytest.approx(1, abs=1e-5)
    assert layers["head.classes/cosine"] == pytest.approx(1, abs=1e-5)
    assert layers["head.classes/variance"] < 1e-3
    assert layers["stages.0/cosine"] < 0.999
    sensitivity = SensitivityMap(max_shift=2, max_images=30, protocol="circular").measure(network, sample).numbers
    assert sensitivity["mean"] < 1e-3
    assert sensitivity["control"] > 0.1


@few
@given(seeds)
def test_circular_convolutions_are_equivariant(seed):
    network, sample = make(seed=seed, stages=stages(), readout="global_avg"), textures(seed=seed)
    found = Equivariance(max_shift=3, max_images=30, protocol="circular").measure(network, sample)
    assert max(found.numbers[f"stages.{i}/full"] for i in range(2)) < 1e-5
    assert max(itertools.chain(*found.maps["stages.1"]["full"])) < 1e-5
    assert found.numbers["stages.1/full_control"] > 0.05


def test_a_flattened_readout_is_not_invariant():
    network, sample = make(seed=1, stages=stages()), textures(200)
    assert (
        Equivariance(max_shift=2, max_images=200, protocol="circular").measure(network, sample).numbers["stages.1/full"] < 1e-5
    )
    assert Consistency(3, 3, 200, 0, "circular").measure(network, sample).numbers["all"] < 0.95
    assert FlipRate(1, 200, "circular").measure(network, sample).numbers["all"] > 0
    layers = InvarianceByLayer(2, 200, protocol="circular").measure(network, sample).numbers
    assert layers["readout/cosine"] < 0.999
    assert SensitivityMap(2, 200, "circular").measure(network, sample).numbers["mean"] > 0.1


@few
@given(seeds)
def test_with_stride_two_exactly_for_even_shifts(seed):
    network = make(seed=seed, stages=stages(1, stride=(2, 2)), readout="global_avg")
    sample = textures(seed=seed)
    errors = Equivariance(max_shift=3, max_images=30, protocol="circular").measure(network, sample).maps["stages.0"]["full"]
    base = logits(network, sample)
    for row, down in zip(errors, range(-3, 4), strict=True):
        for error, right in zip(row, range(-3, 4), strict=True):
            moved = logits(network, sample, (down, right), "circular")
            if down % 2 == right % 2 == 0:
                assert error < 1e-5
                assert torch.allclose(moved, base, atol=1e-5)
            else:
                assert error > 1e-3
                assert not torch.allclose(moved, base, atol=1e-5)


@few
@given(
    seeds,
    st.sampled_from(["zeros", "reflect", "replicate", "circular"]),
    st.sampled_from([1, 2]),
    st.sampled_from(["none", "max"]),
)
def test_in_the_interior_shared_weights_are_equivariant_at_any_border(seed, border, stride, pool):
    kinds = {"padding_mode": border, "stride": (stride, stride), "pool": pool}
    network, sample = make(seed=seed, stages=stages(1, **kinds), input_shape=(1, 16, 16)), textures(size=16, seed=seed)
    found = Equivariance(max_shift=4, max_images=10).measure(network, sample)
    step = network.skeleton.receptive_fields()[0][0].stride
    inner, full = found.maps["stages.0"]["interior"], found.maps["stages.0"]["full"]
    whole = [i for i in range(9) if (i - 4) % step == 0]
    assert max(inner[i][j] for i in whole for j in whole) < 1e-5
    at_the_border = [full[i][j] for i in whole for j in whole if (i, j) != (4, 4)]
    # Zeros that move in at a border of zeros change nothing along a side on which all biases are negative: relu makes both 0.
    assert (max if border == "zeros" else min)(at_the_border) > 1e-3
    assert found.protocol == "zero_fill"


@few
@given(seeds)
def test_cropped_too(seed):
    canvas = textures(size=14, seed=seed)
    sample = Sample(canvas.images[:, :, 3:11, 3:11], canvas.labels, canvas.images)
    network = make(seed=seed, stages=(replace(STAGE, padding=(0, 0)),))
    found = Equivariance(max_shift=3, max_images=30, protocol="crop").measure(network, sample)
    assert found.numbers["stages.0/interior"] < 1e-5
    shifts = ShiftMap(max_shift=3, max_images=30, protocol="crop").measure(network, sample)
    expected = (network(canvas.images[:, :, 1:9, 5:13]).argmax(1) == sample.labels).double().mean()
    assert shifts.maps["accuracy"][3 + 2][3 - 2] == expected  # content moved down 2 and left 2
    with pytest.raises(NotApplicableError, match="canvas"):
        ShiftMap(max_shift=3, max_images=30, protocol="crop").measure(network, textures())


def test_silent_images_have_no_say_in_the_error():
    """‖difference‖ / ‖f(x)‖ of an image whose map is all zeros would be infinite: means are divided, not quotients averaged."""
    network, sample = make(seed=1), textures()
    network.stages[0].wiring.bias.fill_(-0.2)
    images = sample.images.clone()
    images[:3] = 0
    found = Equivariance(max_shift=2, max_images=30).measure(network, Sample(images, sample.labels)).numbers
    assert found["stages.0/interior"] < 1e-5
    assert 0 < found["stages.0/full"] < found["stages.0/full_control"] < 5
    network.stages[0].wiring.bias.fill_(-1e6)
    silent = Equivariance(max_shift=2, max_images=30).measure(network, sample).numbers
    assert not any(name.startswith("stages") for name in silent)
    assert silent["logits/full"] == 0


@pytest.mark.parametrize("wiring", [LocallyConnected2d, Dense2d])
def test_without_sharing_there_is_no_equivariance(wiring):
    found = Equivariance(max_shift=2, max_images=30).measure(make(wiring), textures())
    assert found.numbers["stages.0/interior"] > 0.3


def test_interior_units_are_those_whose_pixels_are_all_data():
    """A convolution of ones over ones counts the pixels it sees: 9 where the window lies in what was there before and after."""
    ones = torch.ones(1, 1, 9, 9, dtype=torch.float64)
    for stride, shift in itertools.product((1, 2), ((0, 0), (2, 0), (-4, 2), (2, -2))):
        conv = torch.nn.Conv2d(1, 1, 3, stride, 1, bias=False).double()
        conv.weight.fill_(1)
        fields = tuple(ReceptiveField(-1, 3, stride) for _ in range(2))
        moved = conv(zero_fill(ones, shift))
        before = shift_features(conv(ones), tuple(d / stride for d in shift), "zero_fill")
        assert torch.equal(interior_units(moved, fields, shift, (9, 9)), ((moved == 9) & (before == 9))[0, 0])


@few
@given(seeds, st.floats(-3, 3), st.sampled_from(["zero_fill", "circular"]))
def test_features_are_shifted_by_linear_interpolation(seed, delta, protocol):
    torch.manual_seed(seed)
    x = torch.randn(2, 3, 7, 6, dtype=torch.float64)
    low, move = math.floor(delta), circular if protocol == "circular" else zero_fill
    expected = (1 - (delta - low)) * move(x, (low, 0)) + (delta - low) * move(x, (low + 1, 0))
    assert torch.allclose(shift_features(x, (delta, 0.0), protocol), expected)
    assert torch.equal(shift_features(x, (2.0, -1.0), protocol), move(x, (2, -1)))


def test_a_network_that_reads_the_row_flips_at_every_diagonal_step():
    """Class = the row of the bright pixel, with logit 3: p = e³ / (e³ + 7) before, 1 / (e³ + 7) after."""
    network = make(stages=(), classes=8)
    network.head.classes.weight.copy_(3 * torch.eye(8).repeat_interleave(8, 1))
    network.head.classes.bias.zero_()
    images = torch.zeros(6, 1, 8, 8, dtype=torch.uint8)
    images[range(6), 0, range(6), 2] = 255
    found = FlipRate(pixels=1, max_images=6).measure(network, Sample(images, torch.arange(6))).numbers
    assert found["all"] == found["correct"] == found["accuracy"] == 1
    assert found["change"] == pytest.approx((math.exp(3) - 1) / (math.exp(3) + 7))
    still = torch.full((6, 1, 8, 8), 255, dtype=torch.uint8)
    calm = FlipRate(pixels=1, max_images=6, protocol="circular").measure(network, Sample(still, torch.arange(6))).numbers
    assert calm["all"] == calm["control"] == calm["change"] == 0


def test_sensitivity_of_the_identity_on_single_pixels_is_one():
    """Any two different one-pixel images are as far apart as any two classes: S(δ) = 1 for δ != 0."""
    network = make(stages=(), classes=64)
    network.head.classes.weight.copy_(torch.eye(64))
    network.head.classes.bias.zero_()
    images = torch.zeros(16, 1, 64, dtype=torch.uint8)
    images[range(16), 0, [8 * (2 + i // 4) + 2 + i % 4 for i in range(16)]] = 200
    found = SensitivityMap(max_shift=2, max_images=16).measure(network, Sample(images.unflatten(2, (8, 8)), torch.arange(16)))
    expected = [[float((i, j) != (2, 2)) for j in range(5)] for i in range(5)]
    assert torch.allclose(torch.tensor(found.maps["euclidean"]), torch.tensor(expected))
    assert torch.allclose(torch.tensor(found.maps["cosine"]), torch.tensor(expected), atol=1e-6)
    assert found.maps["radius"] == pytest.approx([0, 1, 1])
    assert found.numbers["mean"] == pytest.approx(1)


def test_sensitivity_of_what_does_not_tell_classes_apart():
    network = make()
    for parameter in network.parameters():
        parameter.zero_()
    with pytest.raises(NotApplicableError, match="same output"):
        SensitivityMap(1, 30).measure(network, textures())


def linear(classes: int = 3, offset: float = 0.0, scale: float = 1.0):
    """A network without nonlinearities on ``textures()``."""
    network = make(seed=3, stages=(), classes=classes)
    network.head.classes.weight.mul_(scale)
    network.head.classes.bias.fill_(offset)
    return network


def medians(network, sample):
    """The middle distance, the mean of two for an even number of pairs, over all pairs of images of different classes."""
    answers, labels = logits(network, sample).double(), sample.labels.tolist()
    pairs = [(a, b) for a, b in itertools.combinations(range(len(labels)), 2) if labels[a] != labels[b]]
    one, other = (answers[list(indices)] for indices in zip(*pairs, strict=True))
    cosine = 1 - F.cosine_similarity(one, other)
    return statistics.median((one - other).norm(dim=1).tolist()), statistics.median(cosine.tolist())


def radii(network, sample, n):
    """The distances by which shifts of one pixel move the logits of a sample, as the probe gives them, times their units."""
    found = SensitivityMap(1, n, "circular").measure(network, sample)
    moved = [logits(network, sample, shift, "circular").double() for shift in itertools.product((-1, 0, 1), repeat=2)]
    still = logits(network, sample).double()
    euclidean = sum(float((m - still).norm(dim=1).mean()) for m in moved) / 8
    cosine = sum(float((1 - F.cosine_similarity(m, still)).mean()) for m in moved) / 8
    return euclidean / found.numbers["mean"], cosine / found.numbers["cosine"]


@few
@given(seeds, st.lists(st.integers(0, 4), min_size=2, max_size=9).filter(lambda labels: len(set(labels)) > 1))
def test_the_unit_of_sensitivity_is_the_median_over_pairs_of_different_classes(seed, labels):
    sample = Sample(textures(len(labels), seed=seed).images, torch.tensor(labels))
    assert radii(linear(5), sample, len(labels)) == pytest.approx(medians(linear(5), sample), rel=1e-5)


@pytest.mark.parametrize("alone", [1, 300])
def test_sensitivity_of_many_images_sorted_by_class(alone):
    """The first 2,000 are of one class."""
    sample = Sample(textures(2000 + alone).images, (torch.arange(2000 + alone) >= 2000).long())
    drawn, network = radii(linear(), sample, 2000 + alone), linear()
    assert drawn == pytest.approx(medians(network, sample), rel=0.02)


@given(st.lists(st.integers(0, 3), min_size=2, max_size=8).filter(lambda labels: len(set(labels)) > 1))
def test_pairs_of_different_classes_are_drawn_uniformly(labels):
    one, other = other_class_pairs(torch.tensor(labels), 20_000)
    pairs = [pair for pair in itertools.permutations(range(len(labels)), 2) if labels[pair[0]] != labels[pair[1]]]
    counts = [int(((one == a) & (other == b)).sum()) for a, b in pairs]
    assert sum(counts) == 20_000
    expected = 20_000 / len(pairs)
    assert all(abs(count - expected) < 6 * math.sqrt(expected) for count in counts)


def test_sensitivity_of_rounding_errors_is_none():
    """Logits that differ by less than single precision resolves are the same output: 0 / 0, and not some large number."""
    SensitivityMap(1, 30).measure(linear(), textures())
    with pytest.raises(NotApplicableError, match="same output"):
        SensitivityMap(1, 30).measure(linear(offset=10.0, scale=1e-6), textures())


def test_sensitivity_needs_two_classes():
    with pytest.raises(NotApplicableError, match="one class"):
        SensitivityMap(1, 10).measure(make(), Sample(*data()[:1], torch.zeros(40).long()))


@few
@given(seeds, st.integers(2, 4))
def test_relative_stability_of_the_identity_is_one(seed, cutoff):
    """‖f(τx) - f(x)‖ = ‖τx - x‖ = ‖η‖ = ‖f(x + η) - f(x)‖."""
    network = make(stages=(), classes=64)
    network.head.classes.weight.copy_(torch.eye(64))
    found = RelativeStability(1.0, cutoff, 30, seed).measure(network, textures(seed=seed)).numbers
    assert found["all"] == pytest.approx(1, rel=1e-3)
    assert found["deformation"] == pytest.approx(found["noise"], rel=1e-3)


@few
@given(seeds, st.sampled_from(["zero_fill", "circular"]))
def test_consistency_of_two_shifts_and_of_one(seed, protocol):
    network, sample, pairs = make(seed=seed), textures(seed=seed), 4
    found = Consistency(max_shift=3, pairs=pairs, max_images=30, seed=seed, protocol=protocol).measure(network, sample).numbers
    shifts = random_shifts(3, 2 * pairs, 30, 2, seed)
    still = network(sample.images).argmax(1)
    moved = torch.stack([network(sample.shifted(shift, protocol)).argmax(1) for shift in shifts])  # (2 pairs, N)
    assert found["all"] == pytest.approx(float((moved[::2] == moved[1::2]).double().mean()))
    assert found["one_shifted"] == pytest.approx(float((moved == still).double().mean()))
    right = still == sample.labels
    if right.any():
        assert found["one_shifted_correct"] == pytest.approx(float((moved == still)[:, right].double().mean()))


@few
@given(seeds)
def test_consistency_of_permuted_images_is_that_of_a_sample_of_them(seed):
    network, sample, probe = make(seed=seed), textures(seed=seed), Consistency(max_shift=3, pairs=2, max_images=30, seed=seed)
    permuted, plain = sample.permuted(seed), probe.measure(network, sample).numbers
    assert not torch.equal(permuted.images, sample.images)
    assert torch.equal(permuted.images.flatten(2).sort(2).values, sample.images.flatten(2).sort(2).values)
    others = probe.measure(network, permuted).numbers
    both = replace(probe, permuted=True).measure(network, sample).numbers
    assert both == plain | {"permuted": others["all"], "permuted_control": others["control"]}


def test_displacements_are_as_large_as_said_and_end_at_the_edge():
    field = displacement_field(4000, (32, 32), 1.5, 3, torch.Generator().manual_seed(0))
    assert field.square().sum(3).mean().sqrt() == pytest.approx(1.5, rel=0.03)
    assert field[:, 0].square().mean() < field[:, 16].square().mean() / 20


@few
@given(st.integers(-2, 2), st.integers(-2, 2))
def test_a_constant_displacement_is_a_shift(down, right):
    images = textures().images.float()
    field = torch.tensor([down, right]).float().expand(30, 8, 8, 2)
    moved, expected = deform(images, field), zero_fill(images, (down, right))
    assert torch.allclose(moved[:, :, 2:6, 2:6], expected[:, :, 2:6, 2:6], atol=1e-2)


def fourier_shift(images, dim, pixels):
    """The trigonometric polynomial through the pixels, at other places: a sum over its frequencies, by a dense matrix."""
    n, axis = images.shape[dim + 2], dim + 2
    k = torch.fft.fftfreq(n, 1 / n, dtype=torch.float64)
    transform = torch.exp(-2j * math.pi * torch.outer(k, torch.arange(n, dtype=torch.float64)) / n)
    phase = torch.exp(-2j * math.pi * k * pixels / n)
    if n % 2 == 0:
        phase[n // 2] = math.cos(math.pi * pixels)
    matrix = (transform.conj().T @ (phase[:, None] * transform) / n).real
    return (images.movedim(axis, -1) @ matrix.T).movedim(-1, axis)


def bilinear_shift(images, dim, pixels):
    """Between -1 and 0 pixels, the border mirrored, as torch's sampler does it."""
    size = images.shape[2:]
    theta = torch.eye(2, 3, dtype=images.dtype).repeat(len(images), 1, 1)
    theta[:, 1 - dim, 2] = -2 * pixels / (size[dim] - 1)  # half an image is 1; columns come first
    grid = F.affine_grid(theta, list(images.shape), align_corners=True)
    return F.grid_sample(images, grid, padding_mode="reflection", align_corners=True)


@few
@given(seeds, st.integers(0, 1), st.sampled_from([7, 8]))
def test_shifts_by_interpolation_have_these_derivatives(seed, dim, n):
    torch.manual_seed(seed)
    x, h = torch.randn(2, 1, n, n, dtype=torch.float64), 1e-5
    assert torch.allclose(fourier_shift(x, dim, 3.0), x.roll(3, dim + 2))
    slope = (fourier_shift(x, dim, h) - fourier_shift(x, dim, -h)) / (2 * h)
    assert torch.allclose(derivative(x, dim, "fourier"), slope, atol=1e-8)
    assert torch.allclose(derivative(x, dim, "bilinear"), (x - bilinear_shift(x, dim, -h)) / h, atol=1e-8)
    wave = torch.cos(2 * math.pi * torch.arange(n, dtype=torch.float64) / n)[None, None, :, None]
    sine = torch.sin(2 * math.pi * torch.arange(n, dtype=torch.float64) / n)[None, None, :, None]
    assert torch.allclose(derivative(wave, 0, "fourier"), 2 * math.pi / n * sine)


WIRINGS = [Conv2d, Dense2d, LocallyConnected2d, GlobalConv2d, partial(LowRankLocallyConnected2d, rank=2)]


@pytest.mark.parametrize("wiring", WIRINGS, ids=lambda wiring: getattr(wiring, "func", wiring).__name__)
@pytest.mark.parametrize("changes", [{"norm": "batch"}, {"activation": "relu"}, {"readout": "global_max"}], ids=str)
def test_the_lie_derivative_is_that_of_the_shifted_network(wiring, changes):
    """Against differences of the fourth order of T_{-t/s} f(T_t x) itself."""
    stages = (replace(STAGE, pool="max"), replace(STAGE, stride=(2, 2)))
    network, sample = make(wiring, stages=stages, **{"activation": "tanh"} | changes), textures(5)
    found = LocalEquivariance(max_images=5).measure(network, sample).numbers
    exact, images, h = copy.deepcopy(network).double(), sample.images.double(), 1e-6  # pooling has kinks
    expected = {"stages.0": 0.0, "stages.1": 0.0, "logits": 0.0}
    strides = {"stages.0": 2, "stages.1": 4}

    def shifted(dim, t):
        parts = exact.representations(fourier_shift(images, dim, t))
        parts["logits"] = parts["head.classes"]
        return {
            name: fourier_shift(parts[name], dim, -t / strides[name]) if name in strides else parts[name] for name in expected
        }

    for dim in (0, 1):
        values = [shifted(dim, t * h) for t in (-2, -1, 1, 2)]
        for name in expected:
            slope = sum(w * value[name] for w, value in zip((1, -8, 8, -1), values, strict=True)) / (12 * h)
            expected[name] += float(slope.square().mean()) / 2
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=1e-6)
    by_difference = LocalEquivariance(max_images=5, step=1e-6).measure(network, sample).numbers
    assert by_difference == pytest.approx(found, rel=1e-4)


def test_the_softmax_under_bilinear_shifts_is_that_of_gruver_et_al():
    network, sample, h = make(activation="tanh"), textures(5), 1e-6
    found = LocalEquivariance(max_images=5, interpolation="bilinear").measure(network, sample)
    exact, images, expected = copy.deepcopy(network).double(), sample.images.double(), 0.0
    still = exact(images).softmax(1)
    for dim in (0, 1):
        expected += float(((exact(bilinear_shift(images, dim, -h)).softmax(1) - still) / h).abs().mean()) / 2
    assert found.numbers["softmax"] == pytest.approx(expected, rel=1e-4)
    assert found.protocol is None


@few
@given(seeds)
def test_linear_circular_convolutions_are_equivariant_below_the_pixel(seed):
    network = make(seed=seed, stages=stages(), readout="global_avg", activation="none")
    found = LocalEquivariance(max_images=10).measure(network, textures(seed=seed)).numbers
    assert max(found[f"stages.{i}/relative"] for i in range(2)) < 1e-12
    assert found["logits"] < 1e-12
    aliased = LocalEquivariance(max_images=10).measure(
        make(seed=seed, stages=stages(), readout="global_avg"), textures(seed=seed)
    )
    assert aliased.numbers["stages.1/relative"] > 1e-4  # a rectifier makes frequencies that the pixels cannot hold


def test_the_lie_derivative_of_a_linear_readout_is_that_of_the_image():
    """f(x) = <w, x>: L f = <w, dx/dt> by dimension, dx/dt the derivative of the trigonometric polynomial through the pixels."""
    network, sample = make(stages=(), classes=3, bias=False, input_shape=(1, 7, 7)), textures(5, size=7)
    frequency = torch.fft.fftfreq(7, dtype=torch.float64) * 2j * math.pi
    x = copy.deepcopy(network).double().normalize(sample.images.double())
    weight = network.head.classes.weight.double()
    expected = 0.0
    for dim in (2, 3):
        shape = (1, 1, 7, 1) if dim == 2 else (1, 1, 1, 7)
        slope = torch.fft.ifft(torch.fft.fft(x, dim=dim) * -frequency.reshape(shape), dim=dim).real
        expected += (slope.flatten(1) @ weight.T).square().mean() / 2
    found = LocalEquivariance(max_images=5).measure(network, sample).numbers
    assert found["logits"] == pytest.approx(float(expected), rel=1e-12)


def test_the_lie_derivative_of_a_function_of_each_pixel():
    """f(x) = tanh(x): L f = (1 - tanh² x) D x - D tanh x, however large the derivative is between the pixels."""
    stage = replace(STAGE, channels=1, kernel_size=(1, 1), padding=(0, 0))
    network, sample = make(stages=(stage,), activation="tanh"), textures(5)
    network.stages[0].wiring.weight.fill_(1)
    network.stages[0].wiring.bias.zero_()
    x = copy.deepcopy(network).double().normalize(sample.images.double())
    errors = [(1 - x.tanh() ** 2) * derivative(x, dim, "fourier") - derivative(x.tanh(), dim, "fourier") for dim in (0, 1)]
    found = LocalEquivariance(max_images=5).measure(network, sample).numbers
    assert found["stages.0"] == pytest.approx(float(torch.stack(errors).square().mean()), rel=1e-10)


def squares(n: int = 40) -> Sample:
    """A bright square of 4 pixels somewhere on black, or nothing in every fifth image."""
    torch.manual_seed(0)
    images, boxes = torch.zeros(n, 1, 16, 16, dtype=torch.uint8), torch.full((n, 2, 2), -1)
    for i in range(n):
        if i % 5:
            row, column = torch.randint(0, 13, (2,)).tolist()
            images[i, :, row : row + 4, column : column + 4] = 255
            boxes[i] = torch.tensor([[row, column], [row + 4, column + 4]])
    return Sample(images, (torch.arange(n) % 5 > 0).long(), None, boxes)


def test_a_blob_detector_peaks_on_the_blob():
    network = make(stages=(replace(STAGE, channels=1),), readout="global_avg", classes=2, input_shape=(1, 16, 16))
    network.stages[0].wiring.weight.fill_(1)
    network.stages[0].wiring.bias.fill_(-8.5)  # fires where the whole window is bright
    network.head.classes.weight.copy_(torch.tensor([[-1.0], [1.0]]))
    network.head.classes.bias.copy_(torch.tensor([0.001, -0.001]))
    sample = squares()
    found = Localisation(max_images=40).measure(network, sample)
    assert found.numbers["energy"] == found.numbers["evidence"] == found.numbers["accuracy"] == 1
    assert found.numbers["n"] == 32
    assert found.numbers["chance"] == 16 / 256
    assert found.pictures["evidence"].shape[0] == 3
    elsewhere = replace(sample, objects=torch.where(sample.objects < 0, -1, (sample.objects + 8) % 16))
    assert Localisation(max_images=40).measure(network, elsewhere).numbers["energy"] < 0.5
    with pytest.raises(NotApplicableError, match="does not know where objects are"):
        Localisation(max_images=40).measure(network, replace(sample, objects=None))
    with pytest.raises(NotApplicableError, match="no image has an object"):
        Localisation(max_images=1).measure(network, sample)


def test_half_a_stride_beside_the_object_is_not_on_it():
    """Even kernels have their middle between two pixels: 6.5, 7.5, 8.5 lie on pixels 6 to 9, 5.5 and 9.5 just beside."""
    network = make(stages=(replace(STAGE, channels=1, kernel_size=(4, 4), padding=(0, 0)),), input_shape=(1, 16, 16), classes=2)
    box = torch.tensor([[[6, 6], [10, 10]]])
    on = Localisation._units_on(network.skeleton.receptive_fields()[-1], box, (13, 13))[0]
    assert on.nonzero().amin(0).tolist() == [5, 5]  # unit 5 has its middle at 6.5
    assert on.nonzero().amax(0).tolist() == [7, 7]
    assert on.sum() == 9


def test_evidence_is_the_class_activation_map():
    network = make(readout="global_avg", seed=2)
    sample = textures(6)
    from convexp.probes.behaviour.localisation import evidence

    _, found, _ = evidence(network, sample, "stages.0")
    features = network.representations(sample.images)["stages.0"]
    weight = (
        network.head.classes.weight[sample.labels] * 1.5 - network.head.classes.weight.sum(0) / 2
    )  # own - mean of the others
    assert torch.allclose(found, torch.einsum("bchw,bc->bhw", features, weight) / 64, atol=1e-6)


@few
@given(seeds, st.sampled_from([1, 2]))
def test_only_a_border_tells_a_convolution_where_a_patch_is(seed, stride):
    network = make(seed=seed, stages=stages(2, stride=(stride, stride)), input_shape=(1, 16, 16))
    sample = textures(60, size=16, seed=seed)
    found = AbsolutePosition(max_images=60).measure(network, sample).numbers
    assert found["accuracy_own"] == found["accuracy_circular"] == 0.5
    assert found["distance_own"] < 1e-5
    assert found["accuracy_zeros"] > 0.6
    assert found["n"] == 60
    zeros = make(seed=seed, stages=stages(2, stride=(stride, stride), padding_mode="zeros"), input_shape=(1, 16, 16))
    again = AbsolutePosition(max_images=60).measure(zeros, sample).numbers
    assert {k: v for k, v in again.items() if "own" not in k} == {k: v for k, v in found.items() if "own" not in k}
    assert again["accuracy_own"] == again["accuracy_zeros"]


def test_absolute_position_of_what_has_no_border():
    found = AbsolutePosition(max_images=60).measure(make(Dense2d, input_shape=(1, 16, 16)), textures(60, size=16)).numbers
    assert set(found) == {"accuracy_own", "distance_own", "n"}
    assert found["accuracy_own"] > 0.8
    with pytest.raises(NotApplicableError, match="no two positions"):
        AbsolutePosition(60).measure(make(stages=stages(3, stride=(2, 2))), textures(60))


def test_features_that_are_equal_cannot_be_position_accuracy():
    same = torch.randn(50, 4, dtype=torch.float64)
    assert position_accuracy(same, same.clone()) == 0.5
    assert position_accuracy(same, same + 10) == 1


@few
@given(st.lists(st.integers(0, 4), min_size=1, max_size=30), seeds)
def test_others_are_of_another_class_and_any_of_them(classes, seed):
    labels = torch.tensor(classes)
    found = other_class_indices(labels, seed)
    if len(set(classes)) == 1:
        assert found is None
    else:
        assert bool((labels[found] != labels).all())
        seen = {int(other_class_indices(labels, s)[0]) for s in range(300)}
        assert seen == {i for i, c in enumerate(classes) if c != classes[0]} or len(classes) > 20


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_a_grid_has_every_shift_once(dims):
    grid = ShiftGrid(2, dims)
    assert len(grid) == len(set(grid.shifts)) == 5**dims
    assert grid.map(torch.arange(len(grid))).shape == (5,) * dims
    assert grid.shifts[len(grid) // 2] == (0,) * dims
    assert grid.radial(grid.distance.double()) == [0, 1, 2]


def test_images_are_looked_at_in_batches():
    network, many = make(), textures(BATCH_SIZE + 7)
    seen = []
    network.register_forward_hook(lambda _, inputs, __: seen.append(len(inputs[0])))
    ShiftMap(max_shift=1, max_images=10**6).measure(network, many)
    assert max(seen) == BATCH_SIZE
    assert sum(seen) == 10 * len(many)
    images, wide = place(many.images, (12, 12), (2, 2)), make(input_shape=(1, 12, 12))
    batches = [wide(batch) for batch in zero_fill(images, (1, 1)).split(BATCH_SIZE)]  # bits depend on how many there are
    assert torch.equal(logits(wide, Sample(images, many.labels), (1, 1)), torch.cat(batches))
