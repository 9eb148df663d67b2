"""Adding a wiring takes one file and one YAML, also outside this package (CONTRIBUTING.md)."""

from conftest import SMALL, read

LAYER = """
import torch
from torch import nn
from convexp.layers.base import SpatialLayer


class Pointwise(SpatialLayer):
    dims = 2

    def __init__(self, in_channels, out_channels, kernel_size, input_size, stride=1, padding=0, dilation=1,
                 padding_mode="zeros", bias=True, gain=1.0):
        super().__init__(in_channels, out_channels, kernel_size, input_size, stride, padding, dilation, 1, padding_mode)
        self.gain = gain
        self.weight = nn.Parameter(torch.randn(out_channels, in_channels))

    def batched(self, x):
        x = nn.functional.adaptive_avg_pool2d(x, self.output_size)
        return self.gain * torch.einsum("oc,bchw->bohw", self.weight, x)
"""

YAML = """# Test.
defaults:
  - skeleton
  - _self_
name: pointwise
wiring:
  _target_: mine.Pointwise
  _partial_: true
  gain: 2.0
"""


def test_wiring_from_a_users_package(program, tmp_path):
    (tmp_path / "mine.py").write_text(LAYER)
    (tmp_path / "conf" / "model").mkdir(parents=True)
    (tmp_path / "conf" / "model" / "pointwise.yaml").write_text(YAML)
    own = ("--config-dir", "conf", "model=pointwise", *SMALL)
    environment = {"PYTHONPATH": str(tmp_path)}
    done = program("train", *own, "hydra.run.dir=run", cwd=tmp_path, **environment)
    assert done.code == 0, done.err
    result = read(tmp_path / "run")
    assert result["network"]["layers"][0]["parameters"] == 2
    assert "skipped" in result["probes"]["kernels"]

    done = program("train", *own, "hydra.run.dir=other", "+model.wiring.gian=1.0", cwd=tmp_path, **environment)
    assert done.code == 2
    assert "gian" in done.err

    done = program("evaluate", "run=run", cwd=tmp_path, **environment)
    assert done.code == 2
    assert "CONVEXP_TRUST" in done.err
    done = program("evaluate", "run=run", cwd=tmp_path, CONVEXP_TRUST="mine", **environment)
    assert done.code == 0, done.err
    assert done.out.count("(as noted)") == 4
