"""Probes as a run does them: chosen by name, skipped with a word, measured in the course of the training."""

import ast
import importlib
import json

import pytest
import torch
import yaml
from conftest import ROOT, SMALL, read
from hydra.utils import get_class
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from nets import make, textures
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from convexp.errors import ConvexpError
from convexp.probes import Measurement
from convexp.probes.figures import numbers_over_epochs, widened
from convexp.probes.numbers import describe_number
from convexp.records import read_record
from convexp.training.probe_runner import flatten_numbers, measure

PROBES = sorted(file.stem for file in (ROOT / "conf" / "probes").glob("*.yaml") if file.stem not in ("all", "default", "none"))


def conf(name: str) -> dict:
    return yaml.safe_load((ROOT / "conf" / "probes" / f"{name}.yaml").read_text())


def test_all_is_every_probe():
    assert sorted(conf("all")["defaults"]) == PROBES
    assert set(conf("default")["defaults"]) < set(PROBES)


@pytest.mark.parametrize("name", PROBES)
def test_every_probe_says_what_it_computes(name):
    settings = conf(name)[name]
    module, _, kind = settings.pop("_target_").rpartition(".")
    probe = getattr(importlib.import_module(module), kind)
    assert "``" in probe.__doc__ or "picture" in probe.__doc__
    assert probe(**settings) is not None
    assert (ROOT / "convexp" / "probes" / module.split(".")[2] / f"{name}.py").is_file()
    assert probe.measure.__doc__


@pytest.mark.parametrize("model", ["conv", "low_rank_local"])
def test_all_of_them_on_waldo(small_run, model):
    few = [f"probes.{name}.max_images=60" for name in PROBES if "max_images" in conf(name)[name]]
    folder = small_run("data=waldo", "probes=all", f"model={model}", *few, "trainer.overfit_batches=3", "trainer.max_epochs=1")
    found = read(folder)["probes"]
    assert sorted(found) == PROBES
    assert [name for name in PROBES if "skipped" in found[name]] == ["feature_sensitivity"]  # of data=srhm only
    for name in found.keys() - {"feature_sensitivity"}:
        assert all(isinstance(v, float) for v in found[name]["numbers"].values()), name
        undocumented = [k for k in found[name]["numbers"] if not describe_number(get_class(conf(name)[name]["_target_"]), k)]
        assert undocumented == [], name
        assert found[name]["numbers"] or list(folder.glob(f"{name}_*.png")), name
    metrics = read(folder)["metrics"]
    assert {f"probe/{k}": v for k, v in flatten_numbers(read_record(folder).probes).items()} == {
        k: v for k, v in metrics.items() if k.startswith("probe/")
    }
    assert 0 <= found["localisation"]["numbers"]["chance"] < 0.1


def test_a_probe_of_ones_own_documents_its_numbers_likewise():
    class Mine:
        """What it is.

        Numbers:
            size (pixels): how large
                it is.
            LAYER/gap_R (share): between R.
        """

    assert (describe_number(Mine, "size").kind, describe_number(Mine, "size").text) == ("pixels", "how large it is.")
    assert describe_number(Mine, "stages.0/gap_4").text == "between R."
    assert describe_number(Mine, "stages.0/gap") is None
    assert describe_number(int, "n") is None


def test_what_does_not_apply_is_skipped_with_a_word(small_run):
    line = ("data.image_shape=[1,256]", "data.source.patch=16", "model.wiring._target_=convexp.layers.conv.Conv1d")
    few = ("probes.shift_map.max_images=50", "probes.equivariance.max_images=20", "trainer.overfit_batches=2")
    found = read(small_run("data=dsd", "probes=all", *line, *few))["probes"]
    skipped = {name: part["skipped"] for name, part in found.items() if "skipped" in part}
    assert set(skipped) == {"relative_stability", "localisation", "feature_sensitivity", "receptive_fields", "feature_maps"}
    assert "does not know where objects are" in skipped["localisation"]
    assert len(found["shift_map"]["maps"]["accuracy"]) == 3  # one dimension: a row
    assert found["equivariance"]["numbers"]["stages.0/full"] > 0


def test_a_probe_alone_sees_as_many_images(call, tmp_path):
    from PIL import Image

    small = [setting for setting in SMALL if "shift_map" not in setting]
    sizes = []
    for folder, probes in (("alone", "[feature_maps]"), ("among", "[flip_rate,feature_maps]")):
        assert call("train", *small, f"probes={probes}", f"hydra.run.dir={folder}").code == 0
        with Image.open(tmp_path / folder / "feature_maps_stage0.png") as picture:
            sizes.append(picture.size)
    assert sizes[0] == sizes[1]


def test_a_list_of_probes(small_run):
    assert sorted(read(small_run("probes=[shift_map,flip_rate,sharing_index]"))["probes"]) == [
        "flip_rate",
        "sharing_index",
        "shift_map",
    ]


@pytest.mark.parametrize("protocol", ["circular", "crop"])
def test_protocols_are_noted(small_run, protocol):
    crop = (
        ("data.shift.protocol=crop", "data.shift.window=8", "data.shift.train=2", "data.shift.test=2")
        if protocol == "crop"
        else ()
    )
    names = ("shift_map", "consistency", "flip_rate")
    more = [f"probes.{name}.protocol={protocol}" for name in names]
    found = read(small_run("probes=[shift_map,consistency,flip_rate]", "probes.consistency.max_shift=2", *more, *crop))[
        "probes"
    ]
    assert [found[name]["protocol"] for name in names] == [protocol] * 3
    assert found["shift_map"]["numbers"]["centre"] == found["consistency"]["numbers"]["accuracy"]


WRONG = """
from dataclasses import dataclass
from convexp.probes import Measurement

@dataclass(frozen=True)
class Fine:
    def measure(self, network, sample):
        return Measurement({"one": 1.0})

@dataclass(frozen=True)
class Wrong:
    kind: str

    def measure(self, network, sample):
        if self.kind == "raises":
            raise RuntimeError("no luck")
        return Measurement({"fine": 1.0, "broken": float("nan")})
"""


@pytest.mark.parametrize(("kind", "said"), [("broken", "probes.wrong: the number broken is nan"), ("raises", "no luck")])
def test_a_wrong_probe_is_named_and_nothing_is_lost(program, tmp_path, kind, said):
    (tmp_path / "mine.py").write_text(WRONG)
    wrong = ("+probes.wrong._target_=mine.Wrong", f"+probes.wrong.kind={kind}")
    own = ("probes=[flip_rate]", *wrong, "+probes.last._target_=mine.Fine")  # between two that are right
    small = [setting for setting in SMALL if "shift_map" not in setting]
    done = program("train", *small, *own, "hydra.run.dir=run", "probe_every=1", cwd=tmp_path, PYTHONPATH=str(tmp_path))
    assert done.code == 1
    assert said in done.err
    assert "probes.wrong" in done.err
    result = read(tmp_path / "run")
    assert result["state"] == "failed"
    assert result["metrics"]["test/acc"] > 0
    assert result["metrics"]["probe/flip_rate/n"] > 0
    assert result["metrics"]["probe/last/one"] == 1
    assert (tmp_path / "run" / "data.png").is_file()
    assert "epoch 1: probes.wrong" in (tmp_path / "run" / "train.log").read_text()


def test_no_images_are_named():
    class Fine:
        def measure(self, network, sample):
            return Measurement({"one": 1.0})

    with pytest.raises(ConvexpError, match=r"probes\.fine: there are no test images"):
        measure("fine", Fine(), make(), textures().first(0))


def test_measuring_leaves_mode_and_random_state():
    class Nosy:
        def measure(self, network, sample):
            torch.randn(10)
            assert not network.training
            assert not torch.is_grad_enabled()
            return Measurement({"one": 1.0})

    network = make().train()
    torch.manual_seed(3)
    before = torch.get_rng_state()
    assert measure("nosy", Nosy(), network, textures())[0].numbers == {"one": 1}
    assert network.training
    assert torch.equal(torch.get_rng_state(), before)


def test_learning_is_measured_without_changing_it(small_run):
    probes = (
        "probes=[distance_from_conv,shift_map,kernels,accounting]",
        "model=local",
        "trainer.max_epochs=4",
        "monitor=val/loss",
    )
    watched, alone = small_run(*probes, "probe_every=2", folder="watched"), small_run(*probes, folder="alone")
    rows = read(watched)["by_epoch"]
    assert [row["epoch"] for row in rows] == [0, 2, 4]
    steps = [row["step"] for row in rows]
    assert steps == [0, steps[1], 2 * steps[1]]
    assert "by_epoch" not in read(alone)
    states = [torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"] for folder in (watched, alone)]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[1])
    results = [{k: v for k, v in read(folder)["metrics"].items() if k.startswith("probe/s")} for folder in (watched, alone)]
    assert results[0] == results[1]
    assert not [name for row in rows for name in row["numbers"] if name.startswith("accounting")]
    assert read(watched)["metrics"]["best_epoch"] == 3  # the best weights are the last ones
    final = flatten_numbers(read_record(watched).probes)
    assert rows[-1]["numbers"] == {name: final[name] for name in rows[-1]["numbers"]}

    board = EventAccumulator(str(watched), size_guidance={"scalars": 0, "images": 0})
    board.Reload()
    curve = board.Scalars("by_epoch/distance_from_conv/distance")
    assert [e.value for e in curve] == [pytest.approx(row["numbers"]["distance_from_conv/distance"]) for row in rows]
    assert len(board.Images("pictures/by_epoch/kernels/stage0")) == 3
    assert (watched / "learning.png").is_file()


def test_no_module_of_the_probes_knows_the_training():
    for file in (ROOT / "convexp" / "probes").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("convexp"):
                assert not node.module.startswith(("convexp.training", "convexp.records", "convexp.execution")), file


def test_results_are_plain_json(small_run):
    text = (small_run("probes=[shift_map,equivariance,locality_index,invariance_by_layer]") / "result.json").read_text()
    assert json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} in result.json"))["probes"]


def test_a_finished_run_can_be_measured_by_other_probes(small_run, call):
    folder = small_run("model=local")
    before = (folder / "result.json").read_bytes()
    done = call("evaluate", f"run={folder}", "probes=[shift_map,sharing_index,localisation]", "probes.shift_map.max_shift=1")
    assert done.code == 0, done.err
    noted = read(folder)["probes"]["shift_map"]["numbers"]
    (line,) = [line.split() for line in done.out.splitlines() if line.startswith("shift_map/mean ")]
    assert line[:3] == ["shift_map/mean", f"{noted['mean']:.6g}", "share"]
    assert "whole grid" in " ".join(line)
    assert "localisation skipped" in done.out
    again = json.loads((folder / "probes" / "shift_map.json").read_text())
    assert again["numbers"] == noted
    assert again["settings"]["max_shift"] == 1
    assert (folder / "probes" / "shift_map_accuracy.png").read_bytes() == (folder / "shift_map_accuracy.png").read_bytes()
    assert (folder / "result.json").read_bytes() == before
    wrong = call("evaluate", f"run={folder}", "probes=shift_map", "probes.shift_map.max_shift=99")
    assert wrong.code == 2
    assert "probes.shift_map.max_shift=99" in wrong.err


def test_what_begins_later_is_drawn_too():
    assert numbers_over_epochs([0, 1, 2], [{}, {"a/correct": 0.1}, {"a/correct": 0.2}]) is not None
    assert numbers_over_epochs([0, 1], [{"a/n": 3.0}, {"a/n": 3.0}]) is None
    assert numbers_over_epochs([], []) is None


@given(st.floats(-1e3, 1e3), st.floats(0, 1e3))
def test_an_axis_is_as_wide_as_a_tenth_of_its_values(low, width):
    high = low + width
    ends = widened(low, high)
    assert ends[0] <= low
    assert ends[1] >= high
    assert ends[1] - ends[0] >= 0.0999 * max(abs(low), abs(high))
    assert ends == (low, high) or ends[1] - ends[0] <= 0.1001 * max(abs(low), abs(high))


def test_a_number_has_one_colour_in_all_panels(monkeypatch):
    drawn: list[Figure] = []
    monkeypatch.setattr("convexp.probes.figures.figure_to_tensor", drawn.append)
    names = ("a/worst", "a/drop", "b/mean", "b/worst", "b/drop")
    numbers_over_epochs([0, 1, 2], [{name: float(epoch + i) for i, name in enumerate(names)} for epoch in range(3)])
    colours = [{line.get_label(): line.get_color() for line in axes.get_lines()} for axes in drawn[0].axes]
    assert colours[0].keys() == {"worst", "drop"}
    assert colours[0].items() <= colours[1].items()
    assert drawn[0].get_suptitle()
