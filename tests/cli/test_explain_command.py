"""convexp-explain, as it is called: what it says, and what it says where it cannot."""

import json
import re
import subprocess
import sys

import pytest
from conftest import ROOT

INVARIANT = ("model.padding_mode=circular", "model.stride=1", "model.pool=aps", "model.readout=global_avg")


def test_it_says_what_holds_and_why_not_more(call, tmp_path):
    done = call("explain")
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert lines[2].split() == ["stages.0.wiring", "16x8x8", "5x5", "2x2", "416", "51,200"]
    assert next(line for line in lines if line.startswith("total")).split() == ["total", "10,186", "208,896"]
    assert "stages.0.wiring  multiples of 2, units 1-6 of 8  the same" in done.out
    assert "  circular   none\n" in done.out
    assert "readout: flatten has weights of its own for every location" in done.out
    assert list(tmp_path.iterdir()) == []


def test_the_document_shows_what_it_prints(call):
    command, printed = re.findall(r"^```\w*\n(.*?)^```", (ROOT / "docs/explain.md").read_text(), re.MULTILINE | re.DOTALL)[:2]
    lines = call(*command.replace("convexp-", "").split()).out.splitlines()[1:]
    assert [line.rstrip() for line in lines] == printed.splitlines()


def test_adaptive_sampling_on_a_circle_is_invariant_to_all_shifts(call):
    done = call("explain", *INVARIANT)
    assert "  circular   all shifts\n" in done.out
    assert "  zero_fill  all shifts, as long as the rest is black and nothing is cut off\n" in done.out
    assert "(all shifts up to a move)" in done.out
    strided = call("explain", *INVARIANT, "model.stride=[1,2]")
    assert "  circular   multiples of 4\n" in strided.out
    assert "stages.1.wiring: a stride of 2 leaves shifts by multiples of 4 pixels" in strided.out


def test_dimensions_that_differ_have_a_line_each(call):
    done = call("explain", "data.canvas=[20,32]", "model.kernel_size=[[5,1],3]", "model.stride=1", "model.readout=global_avg")
    assert "↓ all shifts, units 2-17 of 20" in done.out
    assert "→ all shifts, units 1-30 of 32" in done.out  # fits into any terminal
    assert "zero_fill  all shifts, as long as all but rows 6 to 13 and columns 2 to 29 stays black" in done.out


def test_for_programs(call):
    found = json.loads(call("explain", *INVARIANT, "--json").out)
    assert (found["name"], found["input_shape"]) == ("conv", [1, 16, 16])
    assert [each["step"] for each in found["circular"]] == [1, 1]
    pool = next(layer for layer in found["layers"] if layer["name"] == "stages.0.pool")
    assert pool["circular"][0] == {"step": 2, "units": [0, 8], "everywhere": True, "moves": 1, "known": True}


def test_the_budget_of_match_is_met_as_in_training(call, tmp_path):
    overrides = ("model=local", "match=params:2000", "model.channels=[4]", "model.kernel_size=3")
    total = next(line for line in call("explain", *overrides).out.splitlines() if line.startswith("total")).split()
    counted = call("train", *overrides, "only_costs=true", "hydra.run.dir=run")
    assert counted.code == 0
    network = json.loads((tmp_path / "run" / "result.json").read_text())["network"]
    assert total[1:] == [f"{network['parameters']:,}", f"{network['flops']:,}"]


def test_data_need_not_be_there(call):
    assert "images of 1x28x28" in call("explain", "data=mnist", "data.source.root=nowhere").out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["model=resnet18"], "model=resnet18: is made by model.network; only skeletons are explained"),
        (["data.permute_pixels=3"], "data.permute_pixels=3: what follows from geometry needs pixels where they belong"),
        (["-m", "seed=1"], "-m: explains one network at a time"),
        (["model.kernel_size"], "model.kernel_size: explains one network at a time; give settings"),
        (["model.pool=aps", "data.canvas=18"], "model.pool_size=2 (stage 0): should divide the 9 units"),
        (["model.stride=x"], "model.stride=x: should be a valid integer"),
        (["model.stirde=1"], "stirde"),
        (
            ["study=kernel_size"],
            "model.kernel_size: the runs of study=kernel_size differ in it; choose one, as in model.kernel_size=1",
        ),
        (["study=kernel_size", "model.kernel_size=[3,3]"], "model.kernel_size=[3, 3]: should be one value, or 1 of them"),
        (
            ["study=anti_aliasing"],
            "model.pool: the runs of study=anti_aliasing differ in it; choose one, as in model.pool=max\n",
        ),
        (
            ["study=paper/srhm"],
            "data.image_shape, model.kernel_size, model.stride: the runs of study=paper/srhm differ in them; choose those of "
            "one run, as in data.image_shape=[4,16] model.kernel_size=4 model.stride=4\n",
        ),
        (["study=paper/srhm_three", "model.kernel_size=6"], "as in data.image_shape=[4,216] model.stride=6\n"),
        (["study=paper/novak"], "model.channels: the runs of study=paper/novak differ in it"),
        (["study=paper/zhou"], "model=one_layer: is made by model.network"),
        (
            ["model=global_conv", "model.padding_mode=reflect"],
            "model (global_conv): padding_mode=reflect: a global convolution has zeros or circular\n",
        ),
        (
            ["model=global_conv", "model.padding_mode=replicate", "match=params:50000"],
            "model (global_conv): padding_mode=replicate: a global convolution has zeros or circular\n",
        ),
        (["model=local", "match=params:3"], "match=params:3: even one channel per stage makes"),
    ],
)
def test_mistakes_take_one_line(call, arguments, message):
    done = call("explain", *arguments)
    assert (done.code, done.err.count("\n")) == (2, 1), done.err
    assert done.out == ""
    assert message in done.err


@pytest.mark.parametrize(
    ("arguments", "title"),
    [
        (["study=four_corners"], "model=conv data=mnist: images of 1x28x28"),  # a network of one of the runs
        (["study=sample_efficiency"], "model=conv data=mnist: images of 1x28x28"),  # the number of images shapes no network
        (
            ["study=paper/srhm", "data.image_shape=[4,36]", "model.kernel_size=6", "model.stride=6"],
            "model=conv data=srhm: images of 4x36",
        ),
        (["study=anti_aliasing", "model.pool=avg"], "model=conv data=digits: images of 1x16x16"),  # no run's, but asked for
    ],
)
def test_of_a_study_a_network_of_a_run_or_what_is_asked_for(call, arguments, title):
    done = call("explain", *arguments)
    assert done.code == 0, done.err
    assert done.out.startswith(f"{title}\n")


def test_help_and_version(call):
    assert "convexp-explain model=conv" in call("explain", "--help").out
    assert "one of none, max" in call("explain", "--help", "model.pool").out
    assert call("explain", "--version").out.startswith("convexp-explain ")


@pytest.mark.e2e
def test_torch_is_not_imported(tmp_path):
    code = "import sys; from convexp.explain import main; main(); sys.exit('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code, "model=local"], cwd=tmp_path, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
