"""Any network: trained, evaluated, resumed, opened and reported from its folder alone; and what is wrong, in one line."""

import pytest
import torch
from conftest import read

from convexp import runs
from convexp.data import loader

TINY = (
    *("trainer=cpu", "trainer.max_epochs=2", "trainer.threads=1", "probes=none", "logger=csv"),
    *("data.train_size=100", "data.val_size=100", "data.source.test_size=100"),
)
OWN = ("model=own", "model.network._target_=own_networks.Small", "model.name=small")
SHIPPED = {
    "resnet18": ("model=resnet18", "model.network.width=4"),
    "vit_tiny": ("model=vit_tiny", "model.network.layers=1", "model.network.hidden_dim=12"),
    "mlp_mixer": ("model=mlp_mixer", "model.network.depth=1", "model.network.hidden_dim=8"),
    "timm": ("model=timm", "model.network.name=test_resnet"),
}


@pytest.fixture
def train(call, tmp_path):
    def run(*overrides, folder="run"):
        done = call("train", *TINY, f"hydra.run.dir={folder}", *overrides)
        assert done.code == 0, done.err
        return tmp_path / folder

    return run


@pytest.mark.integration
@pytest.mark.parametrize("overrides", [*SHIPPED.values(), OWN], ids=[*SHIPPED, "own"])
def test_a_run_is_evaluated_and_opened_from_its_folder_alone(train, call, overrides):
    folder = train(*overrides)
    record = read(folder)
    done = call("evaluate", f"run={folder}")
    assert done.code == 0, done.err
    assert done.out.count("as noted") == 4
    opened = runs.open(folder)
    with torch.no_grad():
        right = [(opened.network(images).argmax(1) == labels) for images, labels in loader(opened.data.test, 50)]
    assert float(torch.cat(right).float().mean()) == pytest.approx(record["metrics"]["test/acc"])
    assert sum(p.numel() for p in opened.network.parameters()) == record["network"]["parameters"]
    assert record["network"]["flops"] > 0
    assert tuple(opened.network.layers) == tuple(name for name, _ in opened.network.network.named_children())


@pytest.mark.integration
def test_a_folder_from_somebody_else_may_name_the_shipped_networks_only(train, call, monkeypatch, tmp_path):
    shipped, own = train(*SHIPPED["mlp_mixer"], folder="shipped"), train(*OWN, folder="own")
    monkeypatch.setenv("CONVEXP_KEY", str(tmp_path / "another"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "another"))
    assert call("evaluate", f"run={shipped}").code == 0
    done = call("evaluate", f"run={own}")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "model.network._target_=own_networks.Small" in done.err


@pytest.mark.integration
def test_a_run_is_resumed_with_the_same_bits(train, call, interrupted_at, tmp_path):
    whole = train(*SHIPPED["resnet18"], folder="whole")
    with interrupted_at(1, 0):
        assert call("train", *TINY, *SHIPPED["resnet18"], "hydra.run.dir=cut").code == 130
    done = call("train", f"resume={tmp_path / 'cut'}")
    assert done.code == 0, done.err
    first, second = (torch.load(f / "checkpoints" / "last.ckpt", weights_only=True) for f in (whole, tmp_path / "cut"))
    assert all(torch.equal(value, second["state_dict"][name]) for name, value in first["state_dict"].items())
    assert read(whole)["identity"] == read(tmp_path / "cut")["identity"]


@pytest.mark.integration
def test_a_sweep_over_networks_is_reported_by_model(call, tmp_path):
    small = ("match=params:20000", "trainer.max_epochs=1", "model=mlp_mixer,conv", "hydra.sweep.dir=sweep")
    done = call("train", "-m", *TINY, *small)
    assert done.code == 0, done.err
    frame = runs.load(tmp_path / "sweep")
    assert sorted(frame.model) == ["conv", "mlp_mixer"]
    assert ((frame.parameters - 20_000).abs() < 2000).all()
    table = (tmp_path / "sweep" / "summary.md").read_text()
    assert all(start in table for start in ("| network | parameters |", "| mlp_mixer |", "| conv |"))


@pytest.mark.integration
@pytest.mark.parametrize("channels", [1, 3])
def test_the_network_is_given_what_it_asks_for_and_the_yaml_leaves_out(train, channels):
    folder = train(*OWN, "only_costs=true", "data.canvas=20", f"model.input_channels={channels}")
    layers = {layer["name"]: layer for layer in read(folder)["network"]["layers"]}
    assert layers["network.body.0"]["output_shape"] == [8, 18, 18]
    assert layers["network.body.0"]["parameters"] == channels * 8 * 9 + 8
    assert layers["network.head"]["output_shape"] == [10]


@pytest.mark.integration
def test_match_sets_the_width_that_is_named_and_records_it(train):
    named = ("model.width_setting=width", "model.width_multiple=4", "match=params:1300")
    network = read(train(*OWN, *named, "only_costs=true"))["network"]
    assert (network["width"], network["parameters"]) == (60, 60 * 9 + 60 + 2 * 60 + 60 * 10 + 10)
