"""The benchmark runs, writes what it says, and the memory that the layer takes keeps within its bound."""

import json
import multiprocessing
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

pytestmark = pytest.mark.e2e


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, ROOT / "scripts" / "bench_layers.py", "--rounds", "2", "--batch", "24", *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    out = tmp_path_factory.mktemp("bench")
    return bench("--peers", "--out", str(out)).stdout, out


@pytest.mark.e2e
def test_it_prints_a_table_and_writes_json_and_a_picture(measured):
    printed, out = measured
    written = json.loads((out / "bench.json").read_text())
    assert len(written["rows"]) == 7
    for row in written["rows"]:
        assert {len(times) for times in row["milliseconds"].values()} == {2}
        assert f"| {row['shape']} |" in printed
    assert set(written["summary"]) >= {"convexp / conv2d", "unfold+einsum / convexp", "memory / padded input"}
    assert (out / "bench.png").stat().st_size > 10_000


@pytest.mark.e2e
def test_memory_above_operands_and_results_is_at_most_twice_the_padded_input(measured):
    """Not k*k times, as unfolding takes, which is for up to 16 images: a padded copy and one row of windows."""
    rows = json.loads((measured[1] / "bench.json").read_text())["rows"]
    assert all(0 < row["memory"] <= 2 for row in rows), [(row["shape"], row["memory"]) for row in rows]


@pytest.mark.e2e
def test_global_conv_table():
    printed = bench("--global-conv").stdout
    assert printed.count("| transform |") + printed.count("| matrix |") >= 5


@pytest.mark.e2e
def test_another_framework_is_silent_when_nobody_asks_any_more(monkeypatch):
    """Its process has no other way to learn that the benchmark has ended, however that went."""
    monkeypatch.syspath_prepend(ROOT / "scripts")
    from bench_layers import serve

    ours, theirs = multiprocessing.Pipe()
    ours.close()
    serve(theirs, "JAX", batch=1)


@pytest.mark.e2e
def test_the_wide_table_says_what_was_chosen_and_which_goals_are_missed(tmp_path):
    printed = bench("--wide", "--batches", "1", "--only", "14², 5", "--out", str(tmp_path)).stdout
    (row,) = json.loads((tmp_path / "wide.json").read_text())["rows"]
    assert row["shape"] == "32→32, 14², 5, 32 groups"
    assert set(row["chosen"]) == {"forward", "weight_gradient", "input_gradient"}
    assert set(row["milliseconds"]) == {
        *("conv", "convexp", "convexp, NCHW", "convexp, bfloat16", "unfold+einsum", "floor", "bare")
    }
    assert f"| {row['shape']} | 1 |" in printed
    assert "convexp / floor, batch 1: at most 1.5" in printed
