"""The networks of Neyshabur 2020 have as many weights as its formulas, or its list of layers, say."""

import pytest
from conftest import read

S_CHANNELS, D_CHANNELS = [150], [15, 30, 30, 60, 60, 120, 120, 240]
MILLIONS = {  # with α = 150, of D with α = 15; s = 32, c = 10
    "s_conv": 138.31,
    "s_local": 147.61,
    "s_fc": 256.24,
    "d_conv": 1.446,
    "d_local": 11.71,
    "d_fc": 282.2,
}


def expected(name):
    """Weights, and biases and batch norms, from the layers: of S 9x9 with stride 2, of D 3x3 with every second stride 2."""
    channels, taps, strides = (S_CHANNELS, 81, [2]) if name[0] == "s" else (D_CHANNELS, 9, [1, 2] * 4)
    side, inputs, weights, rest = 32, 3, 0, 0
    for outputs, stride in zip(channels, strides, strict=True):
        units = (side // stride) ** 2
        weights += {"conv": taps, "local": taps * units, "fc": side**2 * units}[name[2:]] * inputs * outputs
        rest += outputs * (1 if name.endswith("conv") else units) + 2 * outputs
        side, inputs = side // stride, outputs
    hidden = (24 if name[0] == "s" else 64) * channels[0]
    return weights + inputs * side**2 * hidden + hidden * 10, rest + 3 * hidden + 10


@pytest.mark.parametrize("name", MILLIONS)
def test_as_many_weights_as_the_paper_lists(name, call, tmp_path, monkeypatch):
    monkeypatch.setenv("CONVEXP_DATA", str(tmp_path))  # nothing is read of it
    done = call("train", f"experiment=neyshabur/{name}", "only_costs=true", "trainer=cpu", "hydra.run.dir=run")
    assert done.code == 0, done.err
    weights, rest = expected(name)
    assert read(tmp_path / "run")["network"]["parameters"] == weights + rest
    assert weights / 1e6 == pytest.approx(MILLIONS[name], rel=1e-3)
    alpha = 150
    formulas = {"s_conv": 243, "s_local": 243 * 32**2 / 4, "s_fc": 3 * 32**4 / 4}
    if name in formulas:
        assert weights == 6 * 32**2 * alpha**2 + (formulas[name] + 24 * 10) * alpha
