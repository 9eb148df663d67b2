"""The motif sounds where the labels and places say, and a run takes signals from the data to the report."""

import pytest
import torch
from conftest import read
from hypothesis import given, settings
from hypothesis import strategies as st

from convexp.config.compose import compose_config
from convexp.config.explained import explain_config
from convexp.data.source import Source
from convexp.data.tiles import image_tiles
from convexp.data.tones import GREY, LOUDNESS, motif_names, motifs, tones, tones_signals
from convexp.errors import ConfigError
from convexp.execution.network_plan import plan_network

few = settings(deadline=None, max_examples=20)
CASE = {"part": "train", "n": 30, "shape": [1, 60], "periods": [8, 4], "note": 10, "place": "random", "noise": 0.0, "seed": 0}
LAYERS = {
    "dense": "dense.Dense",
    "local": "local.LocallyConnected",
    "low_rank_local": "low_rank.LowRankLocallyConnected",
    "conv": "conv.Conv",
    "global_conv": "global_conv.GlobalConv",
}


@few
@given(
    st.lists(st.integers(2, 20), min_size=2, max_size=3, unique=True),
    st.integers(1, 20),
    st.integers(0, 10),
    st.sampled_from(["random", "centre"]),
    st.integers(0, 2**31),
)
def test_without_noise_a_signal_is_its_motif_in_silence(periods, note, room, place, seed):
    length = len(periods) * note + room
    settings = {"shape": [1, length], "periods": periods, "note": note, "place": place, "seed": seed}
    signals, labels, at = tones_signals(**(CASE | settings))
    sounds = motifs(periods, note)
    assert signals.shape == (30, 1, length)
    assert labels.max() < len(sounds)
    for signal, label, first in zip(signals[:, 0], labels, at[:, 0], strict=True):
        expected = torch.full((length,), float(GREY))
        expected[first : first + sounds.shape[1]] += LOUDNESS * sounds[label].float()
        assert torch.equal(signal, expected.round().to(torch.uint8))
        assert place == "random" or first == room // 2


def test_motifs_are_the_orders_of_the_same_notes():
    found, names = motifs([16, 8, 4], 16), motif_names([16, 8, 4])
    assert names[0] == "16-8-4"
    assert len(set(names)) == len(found) == 6
    notes = dict(zip(names[0].split("-"), found[0].split(16), strict=True))
    for name, motif in zip(names, found, strict=True):
        assert torch.equal(motif, torch.cat([notes[period] for period in name.split("-")]))


def test_parts_have_draws_of_their_own_and_fewer_are_the_beginning_of_more():
    more, _, at = tones_signals(**CASE | {"n": 1500, "noise": 20.0})
    assert torch.equal(tones_signals(**CASE | {"noise": 20.0})[0], more[:30])
    assert not torch.equal(tones_signals(**CASE | {"part": "test", "noise": 20.0})[0], more[:30])
    assert set(at.flatten().tolist()) == set(range(60 - 20 + 1))  # every place
    assert float(more[:, :, :20].double()[at[:, 0] >= 20].std()) == pytest.approx(20, abs=0.5)  # before the motif


WRONG = [
    ("shape", [1, 8, 8], "one channel and one dimension"),
    ("periods", [8, 8], "different periods"),
    ("periods", [8, 1.5], "2 samples or more"),
    ("note", 31, "at most 30"),
    ("place", "left", "random or centre"),
    ("noise", -1, "0 or more"),
]


@pytest.mark.parametrize(("setting", "value", "expected"), WRONG)
def test_a_wrong_setting_is_named(setting, value, expected):
    named = "data.image_shape" if setting == "shape" else f"data.source.{setting}"
    with pytest.raises(ConfigError, match=f"{named}=.*{expected}"):
        tones_signals(**CASE | {setting: value})


def test_a_curve_has_every_sample_at_its_height():
    signals = torch.tensor([[[0, 255, 128, 128]]], dtype=torch.uint8)
    (tile,) = image_tiles(signals, 8)
    ink = tile[:, :: tile.shape[1] // 4, 0] < 128  # (8, 4)
    assert tile.shape == (8, 16, 3)
    assert [column.nonzero()[0].tolist() for column in ink.T] == [[7], [*range(8)], [0, 1, 2, 3], [3]]


def test_a_signal_of_several_channels_is_an_image_with_a_row_for_each():
    signals = torch.tensor([[[0, 255, 0, 0], [7, 0, 0, 9]]], dtype=torch.uint8)
    (tile,) = image_tiles(signals, 4)
    assert tile[..., 0].tolist() == signals[0].tolist()


@pytest.mark.parametrize("model", LAYERS)
def test_a_model_is_its_layer_of_one_dimension(model):
    config = compose_config("data=tones", f"model={model}", "model.kernel_size=9", "model.channels=[2,3]")
    assert config.skeleton.wiring.target == f"convexp.layers.{LAYERS[model]}1d"
    layers = plan_network(config).count_layers()
    explained = explain_config(config)
    assert explained.layers[0].shape == (2, 64)
    assert sum(layer.parameters for layer in layers) == explained.total.parameters
    images = compose_config(f"model={model}")
    assert images.skeleton.wiring.target == f"convexp.layers.{LAYERS[model]}2d"
    assert images.identity()["model"]["wiring"]["_target_"].endswith("2d")


def test_a_run_takes_signals_from_the_data_to_the_report(call, tmp_path):
    tiny = ("data=tones", "data.source.train=400", "data.source.test=60", "data.val_size=60", "data.batch_size=32")
    shape = (
        "data.image_shape=[1,48]",
        "data.source.note=12",
        "model.kernel_size=9",
        "model.channels=[3,4]",
        "trainer.threads=1",
    )
    probes = "probes=[shift_map,localisation,kernels,errors,feature_maps]"
    done = call("train", *tiny, *shape, probes, "trainer=cpu", "trainer.max_epochs=1", "hydra.run.dir=study/run")
    assert done.code == 0, done.err
    result = read(tmp_path / "study/run")
    assert result["config"]["model"]["wiring"]["_target_"] == "convexp.layers.conv.Conv1d"
    assert result["network"]["layers"][0]["output_shape"] == [3, 24]
    measured = result["probes"]
    assert len(measured["shift_map"]["maps"]["accuracy"]) == 9
    assert 0.5 < measured["localisation"]["numbers"]["chance"] < 0.95  # the motif has 36 of 48 samples
    assert "two dimensions" in measured["feature_maps"]["skipped"]
    assert "sees signals of 1 dimension" in (tmp_path / "study/run/playground.json").read_text()
    assert {"data.png", "kernels_stage0.png", "shift_map_accuracy.png"} <= {p.name for p in (tmp_path / "study/run").iterdir()}
    assert call("report", "study").code == 0
    page = (tmp_path / "study/report.html").read_text()
    assert "Accuracy at every shift" in page
    assert "shifts down are below it" not in page
    assert call("evaluate", "run=study/run", "probes=[shift_map]", "accelerator=cpu").code == 0
    assert "already finished" in call("train", "resume=study/run").out


def test_the_source_knows_where_motifs_are_and_what_they_are_called():
    source = tones([1, 60], 20, 10, [8, 4], 10, "centre", 5.0, 0)
    assert isinstance(source, Source)
    assert source.class_names == ("8-4", "4-8")
    assert source.test_objects is not None
    assert source.test_objects.tolist() == [[[20], [40]]] * 10
