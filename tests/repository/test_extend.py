"""Adding a wiring takes one class in one file and one YAML, also outside this package (CONTRIBUTING.md)."""

import pytest
from conftest import ROOT, SMALL, read

MODULE = '''
import torch
from torch import nn
from convexp.layers.base import SpatialLayer
from convexp.layers.windowed import WindowedLayer


class Pointwise(SpatialLayer):
    """Defines its forward pass alone."""

    dims = 2

    def __init__(self, in_channels, out_channels, kernel_size, input_size, stride=1, padding=0, dilation=1,
                 padding_mode="zeros", bias=True, gain=1.0):
        super().__init__(in_channels, out_channels, kernel_size, input_size, stride, padding, dilation, 1, padding_mode)
        self.gain = gain
        self.weight = nn.Parameter(torch.randn(out_channels, in_channels))

    def batched(self, x):
        x = nn.functional.adaptive_avg_pool2d(x, self.output_size)
        return self.gain * torch.einsum("oc,bchw->bohw", self.weight, x)


class TiedInBlocks(WindowedLayer):
    """Defines its kernel at every location: each block of 2 x 2 locations shares one."""

    dims = 2

    def __init__(self, in_channels, out_channels, kernel_size, input_size, stride=1, padding=0, dilation=1,
                 padding_mode="zeros", bias=True, block=2):
        super().__init__(in_channels, out_channels, kernel_size, input_size, stride, padding, dilation, 1, padding_mode)
        self.block = block
        blocks = [-(-n // block) for n in self.output_size]
        self.weight = nn.Parameter(torch.empty(*blocks, out_channels, in_channels, *self.kernel_size))
        self.bias = nn.Parameter(torch.empty(out_channels, 1, 1)) if bias else None
        self.reset_parameters()

    @property
    def kernel(self):
        rows, columns = (torch.arange(n, device=self.weight.device) // self.block for n in self.output_size)
        return self.weight[rows][:, columns]
'''

YAML = """# Test.
defaults:
  - skeleton
  - _self_
name: {name}
wiring:
  _target_: mine.{kind}
  _partial_: true
"""

SHIFTS = ("shift_map", "consistency", "sensitivity_map")
FEW = ("probes=all", "trainer.max_epochs=1", *(f"probes.{name}.max_shift=1" for name in SHIFTS))
EVERY = {path.stem for path in (ROOT / "conf" / "probes").glob("*.yaml")} - {"all", "default", "none"}
WEIGHTS = {"locality_index": "share", "sharing_index": "index", "distinct_weights": "share", "distance_from_conv": "distance"}
PICTURES = {"kernels", "receptive_fields", "feature_maps"}
OF_OTHER_DATA = {
    "localisation": "the data set does not know where objects are; data=waldo does",
    "feature_sensitivity": "the data set was not made by a hierarchy of features; data=srhm was",
}
SKIPPED = {
    "tied": OF_OTHER_DATA,
    "pointwise": OF_OTHER_DATA | {"sensitivity_map": "most images of different classes get the same output"},
}


@pytest.fixture
def elsewhere(tmp_path):
    """A folder with a module and configurations that the package does not know."""
    (tmp_path / "mine.py").write_text(MODULE)
    (tmp_path / "conf" / "model").mkdir(parents=True)
    for name, kind in (("pointwise", "Pointwise"), ("tied", "TiedInBlocks")):
        (tmp_path / "conf" / "model" / f"{name}.yaml").write_text(YAML.format(name=name, kind=kind))
    with (tmp_path / "conf" / "model" / "pointwise.yaml").open("a") as file:
        file.write("  gain: 2.0\n")
    return tmp_path


def test_wiring_from_a_users_package(program, elsewhere):
    own = ("--config-dir", "conf", "model=pointwise", *SMALL)
    environment = {"PYTHONPATH": str(elsewhere)}
    done = program("train", *own, "hydra.run.dir=run", cwd=elsewhere, **environment)
    assert done.code == 0, done.err
    result = read(elsewhere / "run")
    assert result["network"]["layers"][0]["parameters"] == 2
    assert (elsewhere / "run" / "kernels_stage0.png").exists()

    done = program("train", *own, "hydra.run.dir=other", "+model.wiring.gian=1.0", cwd=elsewhere, **environment)
    assert done.code == 2
    assert "gian" in done.err

    done = program("evaluate", "run=run", cwd=elsewhere)
    assert done.code == 0, done.err
    assert done.out.count("(as noted)") == 4

    (elsewhere / "run" / ".hydra" / "signature").unlink()  # as if it came from somebody else
    done = program("evaluate", "run=run", cwd=elsewhere, **environment)
    assert done.code == 2
    assert "it is not signed" in done.err
    assert "CONVEXP_TRUST" in done.err
    done = program("evaluate", "run=run", cwd=elsewhere, CONVEXP_TRUST="mine", **environment)
    assert done.code == 0, done.err
    assert done.out.count("(as noted)") == 4


@pytest.mark.parametrize("wiring", SKIPPED)
def test_a_wiring_shows_in_every_probe_that_makes_sense(program, elsewhere, wiring):
    own = ("--config-dir", "conf", f"model={wiring}", *SMALL, *FEW, "hydra.run.dir=run")
    done = program("train", *own, cwd=elsewhere, PYTHONPATH=str(elsewhere))
    assert done.code == 0, done.err
    result = read(elsewhere / "run")
    probes = result["probes"]
    assert set(probes) == EVERY
    reasons = {name: found["skipped"] for name, found in probes.items() if "skipped" in found}
    assert set(reasons) == set(SKIPPED[wiring])
    for name, reason in SKIPPED[wiring].items():
        assert reasons[name].startswith(reason)
    measured = EVERY - set(reasons)
    assert {name for name in measured if probes[name]["numbers"]} == measured - PICTURES
    shown = {path.name.rpartition("_stage")[0] for path in (elsewhere / "run").glob("*_stage*.png")}
    assert shown >= measured & {"kernels", "receptive_fields"}
    assert all(f"stages.0/{key}" in probes[name]["numbers"] for name, key in WEIGHTS.items() if name in measured)
    counted = {layer["name"]: layer for layer in result["network"]["layers"]}
    for row in probes["accounting"]["maps"]["layers"]:
        if row["name"].endswith(".wiring"):
            assert row["closed_form"] == row["parameters"] == counted[row["name"]]["parameters"] > 0
            assert row["closed_form_flops"] == row["flops"] == counted[row["name"]]["flops"]
            assert (row["flops"] > 0 and row["backward_flops"] == 2 * row["flops"]) or wiring == "pointwise"
