"""The benchmarks of the data path and of training run, and hold the memory to its bound."""

import json

import pytest
from benchmarks import bench

pytestmark = pytest.mark.e2e


@pytest.mark.e2e
@pytest.mark.data
def test_training(data_dir, tmp_path):
    out = bench("bench_training", "--networks", "mlp 784-128-10", "--without-usual", "--out", str(tmp_path))
    assert "images/s" in out
    result = json.loads((tmp_path / "bench_training.json").read_text())
    assert set(result["mlp 784-128-10"]["images/s"]) == {"bare", "convexp"}
    memory = result["memory"]
    assert memory["uint8"] == pytest.approx(54.88)  # 70,000 images of 28x28
    assert memory["grown"] <= 1.3 * memory["uint8"]


@pytest.mark.e2e
@pytest.mark.data
def test_data(data_dir):
    out = bench("bench_data", "--files", "1000")
    for way in ("bare indexing", "zero_fill", "circular", "crop", "first start", "second start", "streamed", "checksum"):
        assert way in out
