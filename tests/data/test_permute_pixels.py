"""``data.permute_pixels``: one permutation of the pixels of all images, after they are shifted."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from nets import data, few, make
from torch import nn

from convexp.config.compose import compose_config
from convexp.data import Images, prepare
from convexp.data.canvas import permute_pixels, shift_images
from convexp.data.epochs import Epochs
from convexp.data.rng import draw_order
from convexp.data.source import Source
from convexp.data.view import View
from convexp.geometry.placement import OneOf, Placement
from convexp.probes import NotApplicableError, Sample
from convexp.probes.behaviour.absolute_position import AbsolutePosition
from convexp.probes.behaviour.consistency import Consistency
from convexp.probes.behaviour.feature_sensitivity import FeatureSensitivity
from convexp.probes.behaviour.local_equivariance import LocalEquivariance
from convexp.probes.behaviour.localisation import Localisation
from convexp.probes.behaviour.relative_stability import RelativeStability
from convexp.probes.behaviour.shift_map import ShiftMap
from convexp.records.identity import drop_added_later

PROTOCOLS = ("zero_fill", "circular", "crop")
protocols, seeds = st.sampled_from(PROTOCOLS), st.integers(0, 99)


@few
@given(st.integers(1, 5), st.integers(1, 5), st.integers(1, 3), seeds)
def test_all_images_and_channels_are_permuted_alike_and_the_inverse_restores_them(height, width, channels, seed):
    order = draw_order(height * width, seed)
    images = torch.arange(2 * channels * height * width).reshape(2, channels, height, width)
    found = permute_pixels(images, order)
    assert torch.equal(found.flatten(2), images.flatten(2)[:, :, order])
    assert torch.equal(permute_pixels(found, order.argsort()), images)


def settings(*overrides):
    return compose_config("data=digits", *overrides).data


def source():
    images = torch.randint(0, 256, (60, 1, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    return Source(images[:40], torch.arange(40) % 10, images[40:], torch.arange(20) % 10)


OPTIONS = ("data.canvas=10", "data.shift.test=1", "data.shift.train=2", "data.val_size=10", "data.shift.protocol=circular")


def test_a_data_set_is_that_without_the_setting_permuted_after_its_shifts():
    plain, permuted, other = (
        prepare(settings(*OPTIONS, f"data.permute_pixels={seed}"), source()) for seed in ("null", "3", "4")
    )
    order = draw_order(100, 3)
    for part in ("train", "val", "test"):
        before, labels = getattr(plain, part).first(9)
        after, same = getattr(permuted, part).first(9)
        assert torch.equal(after, permute_pixels(before, order))
        assert torch.equal(labels, same)
        assert not torch.equal(after, getattr(other, part).first(9)[0])
    epoch = [Epochs(each.train, each.shifts, seed=5).batches(2, torch.arange(9), 9)[0][0] for each in (plain, permuted)]
    assert torch.equal(epoch[1], permute_pixels(epoch[0], order))
    assert (permuted.mean, permuted.std, permuted.split) == (plain.mean, plain.std, plain.split)


def test_what_older_versions_did_keeps_its_identity():
    kept = {"data": {"name": "a", "permute_pixels": 0}}
    for seed, expected in ((None, {"data": {"name": "a"}}), (0, kept)):
        found = {"data": {"name": "a", "permute_pixels": seed}}
        drop_added_later(found)
        assert found == expected


@few
@given(protocols, st.tuples(st.integers(-2, 2), st.integers(-2, 2)), seeds)
def test_probes_shift_the_images_as_they_were_before(protocol, shift, seed):
    still, size = OneOf(((0, 0),)), (6, 6) if protocol == "crop" else (10, 10)
    placement, order = Placement((8, 8), (10, 10), size, still, protocol, still, still, still), draw_order(size[0] ** 2, seed)
    images = Images(*data(3), None, View(placement, (1, 1), (0, 0), order))
    sample = Sample(*images.first(3), images.first_on_canvas(3), order=order)
    canvas = torch.nn.functional.pad(data(3)[0], (1, 1, 1, 1))
    assert torch.equal(sample.shifted(shift, protocol), permute_pixels(shift_images(canvas, shift, protocol, size), order))
    assert torch.equal(sample.shifted((0, 0), protocol), sample.images)
    assert float(sample.brightness().sum()) == float(sample.images.sum())


class Sorted(nn.Module):
    """A network that puts the pixels back where they belong first."""

    def __init__(self, network, order):
        super().__init__()
        self.network, self.order = network, order

    def forward(self, images):
        return self.network(permute_pixels(images, self.order.argsort()))


def test_a_network_that_knows_the_permutation_is_measured_as_if_there_were_none():
    images, labels = data()
    order, network = draw_order(64, 7), make()
    plain, permuted = Sample(images, labels), Sample(permute_pixels(images, order), labels, order=order)
    for probe in (Consistency(max_shift=3, pairs=2, max_images=40, seed=0), ShiftMap(max_shift=2, max_images=40)):
        assert probe.measure(Sorted(network, order), permuted).numbers == probe.measure(network, plain).numbers
        assert probe.measure(network, permuted).numbers != probe.measure(network, plain).numbers


@pytest.mark.parametrize(
    "probe",
    [
        AbsolutePosition(max_images=8),
        FeatureSensitivity(max_images=8),
        LocalEquivariance(max_images=8),
        Localisation(max_images=8),
        RelativeStability(displacement=1.0, cutoff=2, max_images=8, seed=0),
    ],
    ids=lambda probe: type(probe).__name__,
)
def test_probes_that_need_pixels_where_they_belong_say_so(probe):
    images, labels = data()
    with pytest.raises(NotApplicableError, match=r"data\.permute_pixels"):
        probe.measure(make(), Sample(images, labels, order=draw_order(64, 0)))


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        (["augment=[flip,mixup]"], "data.permute_pixels=0: does not go with augment=[flip,mixup]"),
        (["data=waldo", "task=localisation"], "data.permute_pixels=0: does not go with a task that looks for objects"),
        (["data.permute_pixels=-1"], "data.permute_pixels=-1"),
    ],
)
def test_what_does_not_go_with_it_is_refused_in_one_line(call, setting, said):
    done = call("train", "data.permute_pixels=0", *setting, "dry_run=true")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert said in done.err


@pytest.mark.integration
def test_a_run_sees_permuted_pixels_and_its_page_has_no_network_to_play_with(finished_run):
    import json

    folder = finished_run("data.permute_pixels=0", "probes=[shift_map,relative_stability]", "probes.shift_map.max_shift=1")
    record = json.loads((folder / "result.json").read_text())
    assert record["state"] == "finished"
    assert "data.permute_pixels" in record["probes"]["relative_stability"]["skipped"]
    assert "permuted pixels" in json.loads((folder / "playground.json").read_text())["left_out"]
