"""What the accounting says is what the formulas say."""

import pytest
import torch
from nets import make, textures

from convexp.layers import Conv2d, Dense2d, GlobalConv2d, LocallyConnected2d, LowRankLocallyConnected2d
from convexp.models import ImageNetwork, layer_costs
from convexp.models.parts import Normalize
from convexp.models.vit import vision_transformer
from convexp.pictures.stacked_bars import stacked_bars
from convexp.probes.structure import accounting
from convexp.probes.structure.accounting import QUANTITIES, Accounting


@pytest.fixture(params=[Conv2d, Dense2d, GlobalConv2d, LocallyConnected2d, LowRankLocallyConnected2d])
def found(request):
    with torch.no_grad():
        return Accounting(batch=8, repeats=1).measure(make(request.param, norm="batch", hidden=(5,)).eval(), textures(20))


def test_counted_is_the_closed_form(found):
    rows = {row["name"]: row for row in found.maps["layers"]}
    known = [row for row in rows.values() if "closed_form" in row]
    assert {"stages.0.wiring", "head.classes", "head.hidden0.linear"} == {row["name"] for row in known}
    for row in known:
        assert row["parameters"] == row["closed_form"]
        assert row["flops"] == row["closed_form_flops"]
        assert row["parameter_bytes"] == 4 * row["parameters"]
        assert row["output_bytes"] <= row["forward_peak_bytes"]
    assert rows["stages.0.wiring"]["input_bytes"] == 8 * 4 * 64
    assert {"normalize", "stages.0.activation", "readout"} <= set(rows)  # what has no parameters costs time too
    assert found.numbers["parameters"] == sum(row["parameters"] for row in rows.values())
    assert found.numbers["batch"] == 8


def test_shares_are_of_the_whole(found):
    assert set(found.maps["shares"]) == set(QUANTITIES)
    for quantity in QUANTITIES:
        assert sum(found.maps["shares"][quantity].values()) == pytest.approx(1)
    total = sum(row["flops"] for row in found.maps["layers"])
    assert found.maps["shares"]["flops"]["head.classes"] == pytest.approx(2 * 5 * 3 / total)
    assert found.pictures["shares"].shape[0] == 3


def test_all_parameters_and_flops_of_any_network_are_in_it_and_few_bars_in_the_picture(monkeypatch):
    shape = (1, 8, 8)
    transformer = vision_transformer(shape, 3, layers=3, heads=2, hidden_dim=8)
    network = ImageNetwork(Normalize([0.0], [1.0], 2), transformer).eval()
    drawn = {}
    monkeypatch.setattr(accounting, "stacked_bars", lambda rows, title: drawn.update(rows) or stacked_bars(rows, title))
    with torch.no_grad():
        found = Accounting(batch=2, repeats=1).measure(network, textures(4))
    layers = layer_costs(network, shape)
    assert found.numbers["parameters"] == sum(layer.parameters for layer in layers)
    assert found.numbers["flops"] == sum(layer.flops for layer in layers)
    parts = list(dict.fromkeys(part for row in drawn.values() for part in row))
    assert len(parts) == accounting.DRAWN
    assert sum(part.endswith(" others") for part in parts) == 1
    assert all(sum(row.values()) == pytest.approx(1) for row in drawn.values())
