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
        return Measurement({"logit": network(sample.images).mean().item()})


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.5), nn.Flatten(), nn.Linear(64, 3))


@pytest.mark.parametrize("number", [torch.tensor(0.5), np.float32(0.5), torch.tensor([0.5]), 0.5])
def test_what_can_be_a_number_is_one(number):
    found = measure_probe("mine", Own(Measurement({"a": number}, {"map": np.eye(2)})), network(), SAMPLE).found
    assert type(found.numbers["a"]) is float
    assert json.loads(json.dumps([found.numbers, found.maps])) == [{"a": 0.5}, {"map": [[1.0, 0.0], [0.0, 1.0]]}]


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        (None, "returned a NoneType; should return a convexp.probes.Measurement"),
        ({"a": 1.0}, "returned a dict; should return"),
        (Measurement({"a": torch.zeros(2)}), "the number a is a Tensor; should be a float"),
        (Measurement({"a": "x"}), "the number a is a str; should be a float"),
        (Measurement({"a": torch.tensor(torch.nan)}), "the number a is nan, which is not finite"),
        (
            Measurement({}, {"b": {"c": torch.zeros(2)}}),
            "maps: Object of type Tensor is not JSON serializable; should be plain lists",
        ),
    ],
)
def test_what_is_none_is_named(returned, said):
    with pytest.raises(ConvexpError, match=f"^probes.mine: {said}"):
        measure_probe("mine", Own(returned), network(), SAMPLE)


@pytest.mark.parametrize(("how", "what"), [("train", "1.running_mean and 2 more"), ("weights", "0.weight")])
def test_a_network_that_is_changed_is_put_back(how, what):
    net = network().train()
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    with pytest.warns(UserWarning, match=f"probes.mine: changed {what} of the network, which is put back; measure a copy"):
        measure_probe("mine", Changing(how), net, SAMPLE)
    assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items())
    assert all(module.training for module in net.modules())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        measure_probe("mine", Changing("not"), net, SAMPLE)
