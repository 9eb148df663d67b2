"""Locality, sharing and the distance from a convolution: laws on layers of every geometry, and brute force."""

import math
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from cases import arguments, few, matrix, seeds
from cases import make as make_layer
from hypothesis import assume, given
from hypothesis import strategies as st
from nets import make, textures
from sheets import framed
from torch import Tensor

from convexp.layers import (
    Conv2d,
    Dense2d,
    GlobalConv2d,
    LocallyConnected2d,
    LowRankLocallyConnected2d,
    as_dense,
    as_local,
    extent,
    nearest_conv,
)
from convexp.layers.conv import ConvNd
from convexp.layers.convert import CONV, DENSE, LOCAL
from convexp.layers.dense import DenseNd
from convexp.layers.local import LocallyConnectedNd
from convexp.layers.windowed import WindowedLayer
from convexp.probes import NotApplicableError
from convexp.probes.structure.distance_from_conv import DistanceFromConv
from convexp.probes.structure.locality_index import LocalityIndex, energy_within
from convexp.probes.structure.receptive_fields import WINDOW, ReceptiveFields, in_window, on_image
from convexp.probes.structure.sharing_index import SharingIndex, likeness, located_kernels, projection_shares, signal_to_noise

WIRINGS = [Conv2d, Dense2d, GlobalConv2d, LocallyConnected2d, LowRankLocallyConnected2d]
any_layer = arguments(dims=None)


@pytest.fixture(autouse=True)
def without_gradients():
    with torch.no_grad():
        yield


def layer(kinds: dict[int, Any], geometry: dict[str, Any], seed: int = 0) -> Any:
    torch.manual_seed(seed)
    return make_layer(kinds[len(geometry["input_size"])], geometry)


def locality(of: Any) -> tuple[list[float], list[float], list[float]]:
    found = of.taps()
    return tuple(part.tolist() for part in energy_within(found.energy(), found.distance(), found.seen))


def reach(geometry: dict[str, Any]) -> float:
    return max((extent(k, d) - 1) / 2 for k, d in zip(geometry["kernel_size"], geometry["dilation"], strict=True))


@few
@given(any_layer, seeds)
def test_taps_are_the_layers_matrix(geometry, seed):
    """Every wiring's weights by location and tap, put where the taps lie, are the matrix that it multiplies with."""
    for kinds in (CONV, LOCAL, DENSE):
        made = layer(kinds, geometry, seed)
        energy = float(made.taps().energy().sum())
        if geometry["padding_mode"] == "zeros" or kinds is DENSE:
            assert energy == pytest.approx(float(matrix(made).square().sum()))


@few
@given(arguments(dims=None, centred=True), seeds)
def test_a_convolution_in_a_dense_layer_is_local_at_its_reach(geometry, seed):
    made = layer(CONV, geometry, seed)
    assume(made.taps().energy().sum() > 0)
    delta, share, _ = locality(as_dense(made))
    at = [s for d, s in zip(delta, share, strict=True) if d <= reach(geometry)]
    assert at[-1] == pytest.approx(1)
    assert share == sorted(share)


@few
@given(any_layer)
def test_local_layers_are_local(geometry):
    for kinds in (CONV, LOCAL):
        made = layer(kinds, geometry)
        assume(bool(made.taps().seen.any()))
        delta, share, random = locality(made)
        assert max(delta) <= reach(geometry)
        assert share[-1] == pytest.approx(1)
        assert random[-1] == 1


def test_locality_of_equal_weights_is_that_of_random_ones():
    made = Dense2d(1, 2, 3, (7, 5), padding=1)
    made.weight.fill_(0.3)
    delta, share, random = locality(made)
    assert share == pytest.approx(random)
    pairs = [max(abs(k - i), abs(el - j)) for i, k in product(range(7), repeat=2) for j, el in product(range(5), repeat=2)]
    assert delta == sorted(set(pairs))
    assert random == pytest.approx([sum(p <= d for p in pairs) / len(pairs) for d in delta])


def test_locality_of_one_weight_is_its_distance():
    made = Dense2d(1, 1, 3, 9, stride=2, padding=1)
    made.weight.zero_()
    made.weight.unflatten(0, (5, 5)).unflatten(2, (9, 9))[1, 2, 5, 1] = -4  # unit (1, 2) has its centre at pixel (2, 4)
    delta, share, _ = locality(made)
    assert [s for d, s in zip(delta, share, strict=True) if d < 3] == [0, 0, 0]
    assert [s for d, s in zip(delta, share, strict=True) if d >= 3] == [1] * (len(delta) - 3)


@few
@given(any_layer, seeds)
def test_a_tied_copy_is_shared(geometry, seed):
    conv = layer(CONV, geometry, seed)
    tied = as_local(conv)
    found = projection_shares(tied.taps())
    assume(found)  # one location, or nothing that meets data
    assert found["index"] == pytest.approx(1)
    assert found["rho"] == pytest.approx(1)
    assert "snr" not in signal_to_noise(*located_kernels(tied))
    for name, value in likeness(*located_kernels(tied)).items():
        assert value == pytest.approx(1 if name.startswith("cosine") else 0, abs=1e-6)


@few
@given(arguments(modes=("zeros", "circular"), dims=2, centred=True), seeds)
def test_a_global_convolution_in_a_dense_layer_is_shared(geometry, seed):
    torch.manual_seed(seed)
    assume(
        all(
            k % 2 and d * (k - 1) // 2 * 2 == d * (k - 1)
            for k, d in zip(geometry["kernel_size"], geometry["dilation"], strict=True)
        )
    )
    found = projection_shares(as_dense(GlobalConv2d(**geometry).double()).taps())
    assume(found)
    assert found["index"] == pytest.approx(1)


@few
@given(any_layer, st.booleans())
def test_sharing_of_random_weights_is_about_zero(geometry, dense):
    """ρ of isotropic weights has the expectation dim / all exactly; the mean of 60 draws is near it."""
    made = layer(DENSE if dense else LOCAL, geometry)
    draws = []
    for seed in range(60):
        torch.manual_seed(seed)
        made.weight.normal_()
        draws.append(projection_shares(made.taps()))
    assume(draws[0])
    rho = torch.tensor([d["rho"] for d in draws])
    assert abs(float(rho.mean()) - draws[0]["random"]) < 5 * float(rho.std()) / math.sqrt(60) + 1e-9
    assert (
        torch.tensor([d["index"] for d in draws]).mean().abs()
        < 5 * float(rho.std()) / math.sqrt(60) / (1 - draws[0]["random"]) + 1e-9
    )


@few
@given(any_layer, seeds)
def test_sharing_is_the_energy_of_the_mean_kernel(geometry, seed):
    made = layer(LOCAL, geometry, seed)
    found = made.taps()
    assume(projection_shares(found))
    total = projected = 0.0
    for tap in range(found.weights.shape[1]):
        rows = [found.weights[place, tap] for place in range(len(found.seen)) if found.seen[place, tap]]
        if rows:
            total += sum(float(row.square().sum()) for row in rows)
            projected += len(rows) * float(torch.stack(rows).mean(0).square().sum())
    assert projection_shares(found)["rho"] == pytest.approx(projected / total)


@few
@given(arguments(modes=("zeros",)), seeds)
def test_likeness_and_signal_to_noise_by_brute_force(geometry, seed):
    made = layer(LOCAL, geometry, seed)
    kernel, seen = made.kernel, made.taps().seen.unflatten(0, made.output_size)
    norm = float((kernel.flatten(4) * seen[:, :, None, None]).norm())
    height, width = made.output_size
    for r in (1, 4):
        cosines, distances = [], []
        for i, j, (di, dj) in product(range(height), range(width), ((r, 0), (0, r))):
            if i + di < height and j + dj < width and seen[i, j].all() and seen[i + di, j + dj].all():
                for o in range(made.out_channels):
                    a, b = kernel[i, j, o].flatten(), kernel[i + di, j + dj, o].flatten()
                    cosines.append(float(a @ b / a.norm() / b.norm()))
                    distances.append(float((a - b).norm()) / norm)
        found = likeness(*located_kernels(made))
        assert (f"cosine_{r}" in found) == bool(cosines)
        if cosines:
            assert found[f"cosine_{r}"] == pytest.approx(sum(cosines) / len(cosines))
            assert found[f"l2_{r}"] == pytest.approx(sum(distances) / len(distances))
    ratios: list[float] = []
    flat, used = kernel.flatten(0, 1).flatten(3), seen.flatten(0, 1)
    for o, c, t in product(*(range(n) for n in flat.shape[1:])):
        w = flat[used[:, t], o, c, t]
        if len(w) > 1:
            ratios.append(float(w.mean() ** 2 / w.var()))
    expected = {"snr": pytest.approx(sum(ratios) / len(ratios))} if ratios else {}
    assert signal_to_noise(*located_kernels(made)) == expected


@few
@given(any_layer, seeds)
def test_distance_from_a_convolution_is_that_of_the_matrices(geometry, seed):
    for kinds in (LOCAL, DENSE):
        made = layer(kinds, geometry, seed)
        residual, energy = made.conv_residual()
        assert energy == pytest.approx(float(matrix(made).square().sum()))
        assert residual == pytest.approx(float((matrix(made) - matrix(nearest_conv(made))).square().sum()), abs=1e-12)


@few
@given(any_layer, seeds)
def test_embedded_convolutions_are_at_distance_zero(geometry, seed):
    conv = layer(CONV, geometry, seed)
    for same in (conv, as_local(conv), as_dense(conv)):
        residual, energy = same.conv_residual()
        assert residual <= 1e-12 * max(energy, 1e-300)


@few
@given(any_layer, st.booleans())
def test_distance_of_random_weights(geometry, dense):
    made = layer(DENSE if dense else LOCAL, geometry)
    ratios = []
    for seed in range(60):
        torch.manual_seed(seed)
        made.weight.normal_()
        residual, energy = made.conv_residual()
        ratios.append(residual / energy if energy else 0.0)
    found = torch.tensor(ratios)
    assume(energy > 0)
    assert abs(float(found.mean()) - (1 - made.random_conv_share())) < 5 * float(found.std()) / math.sqrt(60) + 1e-9


@pytest.mark.parametrize("wiring", WIRINGS)
def test_structure_of_every_wiring(wiring):
    network, sample = make(wiring), textures()
    locality, sharing, distance = (
        p().measure(network, sample).numbers for p in (LocalityIndex, SharingIndex, DistanceFromConv)
    )
    shared, windowed = wiring in (Conv2d, GlobalConv2d), wiring not in (Dense2d, GlobalConv2d)
    assert (sharing["stages.0/index"] == 1) == shared or wiring is LowRankLocallyConnected2d
    assert (locality["stages.0/share"] == 1) == windowed
    assert (distance["distance"] == 0) == (wiring is Conv2d)
    if wiring is Dense2d:
        assert abs(sharing["stages.0/index"]) < 0.05
        assert locality["stages.0/share"] == pytest.approx(locality["stages.0/random"], abs=0.05)
        assert distance["distance"] == pytest.approx(distance["stages.0/random"], abs=0.02)


@pytest.mark.parametrize(
    "probe", [LocalityIndex(), SharingIndex(), DistanceFromConv(), ReceptiveFields(2, 2)], ids=lambda p: type(p).__name__
)
def test_without_a_layer_on_images_there_is_no_structure(probe):
    with pytest.raises(NotApplicableError, match="no layer on images"):
        probe.measure(make(stages=()), textures())


@pytest.mark.parametrize("wiring", WIRINGS)
def test_receptive_fields_lie_where_the_matrix_has_them(wiring):
    network = make(wiring)
    wired: Any = network.stages[0].wiring
    found = torch.stack([on_image(wired, wired.taps(), place) for place in range(64)], 1)  # (O, L, C, H, W)
    assert torch.allclose(found.flatten(), as_dense(wired).weight.flatten(), atol=1e-6)


@pytest.mark.parametrize("wiring", WIRINGS)
def test_receptive_fields_are_drawn_where_units_look(wiring):
    """A unit with a window is drawn as its window, and a row says where that lies; any other as the whole image."""
    network = make(wiring)
    wired: Any = network.stages[0].wiring
    tiles = framed(ReceptiveFields(4, 64).measure(network, textures()).pictures["stage0"])
    windowed = isinstance(wired, WindowedLayer)
    assert [len(row) for row in tiles] == [64] * (4 + windowed)
    taps = wired.taps()
    if windowed:
        factor = len(tiles[0][0]) // 8
        drawn = np.array(tiles[0])[:, ::factor, ::factor]  # (64, 8, 8, 3)
        seen = torch.stack([on_image(wired, taps, place)[0, 0] != 0 for place in range(64)]).numpy()
        assert np.array_equal((drawn == WINDOW).all(-1), seen)
        kernel = wired.kernel.flatten(0, 1)[27, 0]  # in the interior
        assert torch.equal(in_window(wired, taps, 27)[0], kernel)
        assert int(in_window(wired, taps, 0)[0, 0].isnan().sum()) == 5  # at the corner
    else:
        assert len({tile.shape for row in tiles for tile in row}) == 1


def test_the_kinds_of_layers_are_all_there():
    assert {kind.__mro__[1] for kinds in (CONV, LOCAL, DENSE) for kind in kinds.values()} == {
        ConvNd,
        LocallyConnectedNd,
        DenseNd,
    }
    assert isinstance(Conv2d(1, 2, 3, 8).taps().weights, Tensor)
