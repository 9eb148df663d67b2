"""What a probe of the user's own may return, and that the network is afterwards what it was."""

import json
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from convexp.errors import ConvexpError
from convexp.probes import Measurement, Sample
from convexp.probes.running import measure_probe

SAMPLE = Sample(torch.rand(20, 1, 6, 6), torch.arange(20) % 3)


@dataclass(frozen=True)
class Own:
    returned: Any

    def measure(self, network, sample):
        return self.returned


@dataclass(frozen=True)
class Changing:
    how: str

    def measure(self, network, sample):
        if self.how == "train":
            network.train()(sample.images)
        elif self.how == "weights":
            network[0].weight.data.zero_()
        elif self.how == "double":
            network.double()
            return Measurement({})
        return Measurement({"logit": network(sample.images).mean().item()})


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.5), nn.Flatten(), nn.Linear(64, 3))


@pytest.mark.parametrize("number", [torch.tensor(1.0), np.float32(1), torch.tensor([1.0]), 1.0, True, np.bool_(True)])
def test_what_can_be_a_number_is_one(number):
    maps = {"map": np.eye(2), "layers": {np.int64(1): torch.ones(2), "b": (np.float32(0.5), None)}}
    found = measure_probe("mine", Own(Measurement({"a": number}, maps)), network(), SAMPLE).found
    assert type(found.numbers["a"]) is float
    layers = {"1": [1.0, 1.0], "b": [0.5, None]}
    assert json.loads(json.dumps([found.numbers, found.maps])) == [
        {"a": 1.0},
        {"map": [[1.0, 0.0], [0.0, 1.0]], "layers": layers},
    ]


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        (None, "returned a NoneType; should return a convexp.probes.Measurement"),
        ({"a": 1.0}, "returned a dict; should return"),
        (Measurement({"a": torch.zeros(2)}), "the number a is a Tensor; should be a float"),
        (Measurement({"a": "x"}), "the number a is a str; should be a float"),
        (Measurement({"a": torch.tensor(torch.nan)}), "the number a is nan, which is not finite"),
        (
            Measurement({}, {"b": {"c": object()}}),
            "maps: Object of type object is not JSON serializable; should be plain lists",
        ),
        (Measurement({"a": 10**400}), "the number a is a int; should be a float"),
    ],
)
def test_what_is_none_is_named(returned, said):
    with pytest.raises(ConvexpError, match=f"^probes.mine: {said}"):
        measure_probe("mine", Own(returned), network(), SAMPLE)


@pytest.mark.parametrize(
    ("how", "what"), [("train", "1.running_mean and 2 more"), ("weights", "0.weight"), ("double", "0.weight and 7 more")]
)
def test_a_network_that_is_changed_is_put_back(how, what):
    net = network().train()
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    with pytest.warns(UserWarning, match=f"probes.mine: changed {what} of the network, which is put back; measure a copy"):
        measure_probe("mine", Changing(how), net, SAMPLE)
    assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items())
    assert all(tensor.dtype == before[name].dtype for name, tensor in net.state_dict().items())
    assert all(module.training for module in net.modules())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        measure_probe("mine", Changing("not"), net, SAMPLE)


@pytest.mark.filterwarnings("error")
def test_tensors_of_any_kind_may_be_in_a_network():
    net = network()
    net.register_buffer("sparse", torch.eye(3).to_sparse())
    net.register_buffer("unknown", torch.tensor([torch.nan, 1.0]))
    net.add_module("unused", nn.LazyLinear(3))
    net.forward = nn.Sequential(*list(net)[:5]).forward
    assert measure_probe("mine", Changing("not"), net, SAMPLE).found.numbers.keys() == {"logit"}
