"""``convexp.probes.measure``: any trained module, from Python."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from nets import STAGE, make, textures
from torch import nn
from torchvision.models import resnet18
from torchvision.models.vision_transformer import VisionTransformer

from convexp.errors import ConfigError
from convexp.models import ImageNetwork
from convexp.probes import Measurement, measure
from convexp.probes.behaviour.absolute_position import AbsolutePosition
from convexp.probes.behaviour.equivariance import Equivariance
from convexp.probes.behaviour.flip_rate import FlipRate
from convexp.probes.behaviour.invariance_by_layer import InvarianceByLayer
from convexp.probes.behaviour.local_equivariance import LocalEquivariance
from convexp.probes.behaviour.sensitivity_map import SensitivityMap
from convexp.probes.behaviour.shift_map import ShiftMap

fewer = settings(deadline=None, max_examples=2)
BEHAVIOUR = {
    "shift_map": {"max_shift": 1},
    "consistency": {"max_shift": 1, "pairs": 1},
    "flip_rate": {},
    "sensitivity_map": {"max_shift": 1},
    "relative_stability": {},
    "equivariance": {"max_shift": 1},
    "local_equivariance": {"max_images": 4},
    "invariance_by_layer": {"max_shift": 1},
    "absolute_position": {},
    "feature_maps": {"max_images": 2},
}


MANY = ["equivariance", "local_equivariance", "invariance_by_layer", "absolute_position"]


def circular(width=3):
    border = {"padding": 1, "padding_mode": "circular"}
    return nn.Sequential(
        nn.Conv2d(1, width, 3, **border), nn.ReLU(inplace=True), nn.Conv2d(width, width, 3, **border), nn.AdaptiveAvgPool2d(1),
        nn.Flatten(), nn.Linear(width, 3),
    )  # fmt: skip


def noise(n=20, channels=1, size=8, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(n, channels, size, size, generator=generator), torch.arange(n) % 3


@fewer
@given(st.integers(0, 99))
def test_a_circular_convolution_is_exactly_equivariant_and_its_mean_exactly_invariant(seed):
    torch.manual_seed(seed)
    probes = [ShiftMap(1, 9, "circular"), Equivariance(1, 9, "circular")]
    found = measure(circular(), *noise(9, seed=seed), probes).numbers
    assert found["shift_map/drop"] == 0
    for layer in ("0", "1", "2"):
        assert found[f"equivariance/{layer}/full"] < 1e-6
        assert found[f"equivariance/{layer}/full_control"] > 0.01


@fewer
@given(st.integers(0, 99), st.sampled_from(["none", "avg", "max_blur"]))
def test_the_general_path_measures_a_skeleton_as_its_own(seed, pool):
    """The same network with and without its skeleton known, number by number."""
    network, sample = make(seed=seed, stages=(STAGE, replace(STAGE, pool=pool))), textures(8, seed=seed)
    general = ImageNetwork(nn.Identity(), network, ["stages"])
    for probe in (Equivariance(1, 8), LocalEquivariance(8), AbsolutePosition(8)):
        own, found = (measure(each, sample.images, sample.labels, probe).numbers for each in (network, general))
        of_borders = {name for name in own if "/accuracy_" in name and not name.endswith("_own")}  # made for skeletons alone
        assert found == {name: value for name, value in own.items() if name not in of_borders}


@pytest.mark.parametrize("probe", BEHAVIOUR)
def test_a_resnet_of_torchvision_under_every_behaviour_probe(probe):
    torch.manual_seed(0)
    network = resnet18(num_classes=3).train()
    found = measure(network, *noise(6, 3, 32), {probe: BEHAVIOUR[probe]}, layers=["maxpool", "layer1", "layer2", "avgpool"])
    assert not found.skipped
    assert all(map(math.isfinite, found.numbers.values()))
    assert found.numbers or found.pictures
    assert network.training


def test_modes_weights_images_and_random_state_are_left_as_they_are():
    network = nn.Sequential(circular(), nn.Dropout(0.5), nn.BatchNorm1d(3))
    network[2].eval()
    images, labels = noise()
    before = [t.clone() for t in (images, labels, torch.get_rng_state(), *network.state_dict().values())]
    first = measure(network, images, labels, ["flip_rate", "relative_stability"])
    assert [module.training for module in (network, network[0], network[1], network[2])] == [True, True, True, False]
    after = (images, labels, torch.get_rng_state(), *network.state_dict().values())
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))
    assert first.numbers == measure(network, images, labels, ["flip_rate", "relative_stability"]).numbers


class Failing:
    def measure(self, network, sample):
        raise RuntimeError("out of\nmemory")


def test_a_probe_that_fails_keeps_no_other_from_being_measured():
    network, (images, labels) = circular(), noise()
    with pytest.warns(UserWarning, match=r"probes\.broken: failed, and is left out: RuntimeError: out of") as warned:
        found = measure(network, images, labels, {"broken": Failing(), "flip_rate": None})
    assert warned[0].filename == __file__
    assert [*found] == ["flip_rate"]
    assert found.numbers == measure(network, images, labels, "flip_rate").numbers
    assert found.failed["broken"].startswith("RuntimeError: out of")
    assert "broken failed: RuntimeError: out of" in str(found)
    with pytest.raises(RuntimeError, match="out of"):
        measure(network, images, labels, {"broken": Failing()})


def test_numbers_units_maps_pictures_and_reasons(tmp_path):
    images, labels = noise()
    found = measure(circular(), images.numpy(), labels.tolist(), {"shift_map": {"max_shift": 1}, "localisation": None})
    assert "shift_map/worst" in str(found)
    assert "share" in str(found)
    assert "localisation skipped: the data set does not know where objects are" in str(found)
    assert found["shift_map"].protocol == "zero_fill"
    assert np.shape(found.maps["shift_map/accuracy"]) == (3, 3)
    table = found.table().set_index("number")
    assert table.loc["worst", "value"] == found.numbers["shift_map/worst"]
    assert table.loc["n", "unit"] == "images"
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"folder=.*file"):
        found.save(tmp_path / "file")
    found.save(tmp_path / "new")
    saved = json.loads((tmp_path / "new" / "shift_map.json").read_text())
    assert saved["settings"]["max_shift"] == 1
    assert saved["numbers"] == {name: found.numbers[f"shift_map/{name}"] for name in saved["numbers"]}
    assert (tmp_path / "new" / "shift_map_accuracy.png").is_file()
    assert json.loads((tmp_path / "new" / "localisation.json").read_text()).keys() == {"settings", "skipped"}


def test_the_default_probes_are_those_of_a_run():
    network = circular()
    names = ["shift_map", "consistency", "kernels", "accounting"]
    images, labels = noise(4, size=12)
    assert list(measure(network, images, labels)) == names


class Mine:
    """A probe of a user's own."""

    def measure(self, network, sample):
        return Measurement({"images": float(len(sample))})


def test_probes_of_ones_own_and_several_settings():
    found = measure(circular(), *noise(), [Mine(), "flip_rate"])
    assert list(found) == ["mine", "flip_rate"]
    assert found.numbers["mine/images"] == 20
    assert list(measure(circular(), *noise(), {"whatever": Mine()})) == ["whatever"]


def test_the_background_is_what_a_shift_fills_in():
    """Of normalised images: shifting and normalising commute."""
    mean, std = 0.3, 0.2
    network, (pixels, labels) = circular(), noise()
    whole = nn.Sequential(Scaled(mean, std), network)
    probes = [ShiftMap(1, 20), SensitivityMap(1, 20), AbsolutePosition(20)]
    raw = measure(whole, pixels, labels, probes, layers=["1.2"])
    normalised = measure(network, (pixels - mean) / std, labels, probes, layers=["2"], background=-mean / std)
    assert normalised.numbers == pytest.approx(raw.numbers, abs=1e-5)
    black = measure(network, (pixels - mean) / std, labels, probes, layers=["2"])
    assert black.numbers["sensitivity_map/mean"] != pytest.approx(raw.numbers["sensitivity_map/mean"], rel=1e-3)


class Scaled(nn.Module):
    def __init__(self, mean, std):
        super().__init__()
        self.mean, self.std = mean, std

    def forward(self, x):
        return (x - self.mean) / self.std


def test_batches_of_any_size_give_the_same_numbers():
    images, labels = noise(11)
    network, probes = circular(), [ShiftMap(1, 11), InvarianceByLayer(1, 11)]
    one, three = (measure(network, images, labels, probes, batch_size=size).numbers for size in (11, 3))
    assert three == pytest.approx(one, rel=1e-4, abs=1e-5)


def test_bytes_go_to_the_network_as_bytes():
    sample = textures(12)
    found = measure(make(), sample.images, sample.labels, {"shift_map": {"max_shift": 1}})
    with torch.no_grad():
        expected = ShiftMap(1, 1000).measure(make(), sample)
    assert found.numbers == {f"shift_map/{name}": value for name, value in expected.numbers.items()}


class Casting(nn.Module):
    """Works in single precision whatever it is given."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(64, 3)

    def forward(self, x):
        return self.layer(x.float().flatten(1))


def test_a_network_that_casts_its_input_is_skipped_where_it_matters():
    found = measure(Casting(), *noise(), ["local_equivariance", "flip_rate"])
    assert found.skipped["local_equivariance"].startswith("the network does not work in double precision")
    assert "flip_rate/all" in found.numbers


def test_tokens_are_no_map_and_attention_can_be_differentiated_twice():
    network = VisionTransformer(16, 8, 1, 2, 8, 16, num_classes=3)
    nn.init.normal_(network.heads.head.weight)  # which begins as 0
    found = measure(network, *noise(6, 3, 16), [Equivariance(1, 6), InvarianceByLayer(1, 6), LocalEquivariance(2)])
    assert not found.skipped
    assert list(found.maps["equivariance/not_measured"]) == ["encoder", "heads"]
    assert "is a sequence, not a map" in found.maps["equivariance/not_measured"]["encoder"]
    assert "equivariance/conv_proj/full" in found.numbers
    assert "invariance_by_layer/encoder/cosine" in found.numbers
    assert found.numbers["local_equivariance/logits"] > 0


BAD = {
    "module: is a function; should be a torch.nn.Module": {"module": lambda x: x},
    "images: have the shape (20, 8, 8, 1, 1)": {"images": torch.rand(20, 8, 8, 1, 1)},
    "images: are of torch.int64; should be uint8 or float": {"images": torch.ones(20, 1, 8, 8).long()},
    "images: hold numbers that are not finite": {"images": torch.full((20, 1, 8, 8), math.nan)},
    "images: are of type str": {"images": "pictures"},
    "labels: have the shape (3,); should be (20,)": {"labels": [0, 1, 2]},
    "labels: -1 is among them; should be 0 or more": {"labels": [-1] * 20},
    "labels: are of torch.float32; should be whole numbers": {"labels": [0.5] * 20},
    "labels: 3 is among them, but module (Sequential) has 3 outputs, 0 to 2": {"labels": [3] * 20},
    "module (Sequential): fails on an image of shape (1, 2, 8, 8)": {"images": torch.rand(20, 2, 8, 8)},
    "module (Conv2d): its output for an image of shape (1, 1, 8, 8) has the shape (1, 3, 6, 6)": {"module": nn.Conv2d(1, 3, 3)},
    "probes=shiftmap: there is no such probe; did you mean shift_map?": {"probes": "shiftmap"},
    "probes.shift_map.max_shif: there is no such setting; did you mean max_shift?": {"probes": {"shift_map": {"max_shif": 2}}},
    "probes.shift_map.max_shift=9: should be between 1 and 7": {"probes": {"shift_map": {"max_shift": 9}}},
    "probes.shift_map.max_shift=8: should be between 1 and 7 on this canvas": {"probes": ShiftMap(8, 20)},
    "probes.far.pixels=30: should be between 1 and 7 on this canvas": {"probes": {"far": FlipRate(30, 20, "circular")}},
    "probes.local_equivariance.step=9.0: should be 8 at most for images of 8 pixels": {
        "probes": LocalEquivariance(20, step=9.0)
    },
    "probes.shift_map.max_shift=1: there is no room to shift on this canvas": {
        "probes": ShiftMap(1, 20),
        "images": torch.rand(20, 1, 8, 1),
    },
    "probes.flip_rate.max_images=x: should be a whole number": {"probes": {"flip_rate": {"max_images": "x"}}},
    "probes.relative_stability (convexp.probes": {"probes": {"relative_stability": {"displacement": -1.0}}},
    "probes: 3 is no probe; should have a method measure": {"probes": [3]},
    "layers=['9']: there is no module '9'": {"layers": ["9"]},
    "layers=['6']: 6 is not called in the forward pass": {"layers": ["6"], "module": "with another"},
    "background=[0, 1]: should be one number, or one for each of the 1 channels": {"background": [0, 1]},
    "background=inf: should be finite": {"background": math.inf},
    "background=300: should be of the images' type, torch.uint8": {
        "background": 300,
        "images": torch.ones(20, 1, 8, 8).byte(),
        "module": "of bytes",
    },
    "background=0.5: should be of the images' type, torch.uint8": {
        "background": 0.5,
        "images": torch.ones(20, 1, 8, 8).byte(),
        "module": "of bytes",
    },
    "probes: two are called flip_rate; should have names of their own": {"probes": [FlipRate(1, 30), FlipRate(2, 30)]},
    "module (Sequential): its output for an image of shape (1, 1, 8, 8) has NaN": {"module": "of NaN"},
    "batch_size=0: should be a whole number, 1 or more": {"batch_size": 0},
    "objects: have the shape (20, 4)": {"objects": torch.zeros(20, 4).long()},
    "device=nowhere: ": {"device": "nowhere"},
}


@pytest.mark.parametrize("protocol", ["zero_fill", "circular"])
def test_shifts_from_none_to_the_whole_image_fit(protocol):
    images, labels = noise()
    for shift in (0, 1, 7):
        assert (
            len(measure(circular(), images, labels, ShiftMap(shift, 4, protocol)).maps["shift_map/accuracy"]) == 2 * shift + 1
        )


def test_a_crop_from_images_without_a_canvas_is_skipped_whatever_the_shift():
    skipped = measure(circular(), *noise(), ShiftMap(9, 4, "crop")).skipped
    assert skipped["shift_map"].startswith("protocol=crop needs a canvas larger than the images")


class Bytes(nn.Module):
    def forward(self, x):
        return x.float()


def spoiled():
    """A network with a weight that is no number."""
    network = circular()
    with torch.no_grad():
        next(network.parameters()).fill_(math.nan)
    return network


class WithAnother(nn.Module):
    def __init__(self):
        super().__init__()
        self.add_module("6", nn.Linear(1, 1))
        self.network = circular()

    def forward(self, x):
        return self.network(x)


@pytest.mark.parametrize("message", BAD)
def test_wrong_arguments_are_named_in_one_line(message):
    arguments = (
        dict(zip(("images", "labels"), noise(), strict=True)) | {"module": circular(), "probes": "flip_rate"} | BAD[message]
    )
    if arguments["module"] == "with another":
        arguments["module"] = WithAnother()
    if arguments["module"] == "of bytes":
        arguments["module"] = nn.Sequential(Bytes(), circular())
    if arguments["module"] == "of NaN":
        arguments["module"] = spoiled()
    with pytest.raises(ConfigError) as error:
        measure(**arguments)
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


class Logits(nn.Module):
    """As a fully convolutional network: the map of the classes is a layer, and its mean is the answer."""

    def __init__(self, name="logits"):
        super().__init__()
        self.name, self.conv = name, nn.Conv2d(1, 3, 3, padding=1, padding_mode="circular")
        self.add_module(name, nn.Conv2d(3, 3, 1))

    def forward(self, images):
        return self.get_submodule(self.name)(self.conv(images).relu()).mean((2, 3))


@pytest.mark.parametrize("name", ["logits", "softmax", "output"])
def test_a_layer_with_the_name_of_the_answer_is_measured_as_any_other(name):
    found, expected = ({}, {})
    for into, layer in ((found, name), (expected, "head")):
        torch.manual_seed(0)
        into |= measure(Logits(layer), *noise(9), MANY).numbers
    assert found == {key.replace("/head", f"/layer.{name}"): value for key, value in expected.items()}
    assert f"equivariance/layer.{name}/full" in found
    assert any(key.startswith("local_equivariance/layer.") for key in found)


class InPlace(nn.Module):
    """An output that is changed after its last layer."""

    def __init__(self, in_place):
        super().__init__()
        self.in_place, self.conv, self.fc = in_place, nn.Conv2d(1, 3, 3), nn.Linear(3 * 36, 3)

    def forward(self, images):
        scores = self.fc(self.conv(images).flatten(1))
        if self.in_place:
            scores *= 10
            return scores
        return scores * 10


def test_an_output_that_is_changed_in_place_is_the_answer():
    found = []
    for in_place in (True, False):
        torch.manual_seed(0)
        found.append(measure(InPlace(in_place), *noise(9), MANY).numbers)
    assert found[0] == found[1]


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_networks_in_other_precisions_are_measured(dtype):
    (images, labels), probes = noise(9), ["relative_stability", "accounting"]
    torch.manual_seed(0)
    network = circular()
    expected = measure(network, images, labels, probes).numbers
    found = measure(network.to(dtype), images.to(dtype), labels, probes).numbers
    assert found.keys() == expected.keys()
    assert found["accounting/flops"] == expected["accounting/flops"]
    assert found["relative_stability/all"] == pytest.approx(
        expected["relative_stability/all"], rel=1e-4 if dtype is torch.float64 else 0.5
    )


def test_what_is_wrapped_is_measured_itself():
    network, sample = circular(), noise(9)
    expected = measure(network, *sample, MANY).numbers
    assert measure(nn.DataParallel(network), *sample, MANY).numbers == expected
    assert measure(torch.compile(network, backend="eager"), *sample, MANY).numbers == expected


@pytest.mark.filterwarnings("ignore:.*torch.jit:FutureWarning")
def test_what_needs_hooks_is_skipped_for_torchscript():
    network, sample = circular(), noise(9)
    found = measure(torch.jit.trace(network.eval(), sample[0]), *sample, ["shift_map", *MANY, "accounting"])
    assert found.numbers["shift_map/worst"] == measure(network, *sample, "shift_map").numbers["shift_map/worst"]
    assert "TorchScript" in str(found)


def test_gradients_are_taken_in_inference_mode_too():
    network, sample = circular(), noise(9)
    expected = measure(network, *sample, MANY).numbers
    with torch.inference_mode():
        assert measure(network, sample[0].clone(), sample[1], MANY).numbers == expected
