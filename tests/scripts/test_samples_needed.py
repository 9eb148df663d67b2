"""scripts/samples_needed.py finds the number of samples and the exponent that runs were made up with."""

from math import log2, sqrt

import pytest
from conftest import ROOT
from fabricated_runs import kept, run

pytestmark = pytest.mark.e2e

SIZES = (4, 8, 16, 32, 64, 128, 256)


def passing_at(samples, model, patches, seed, sigma=0.2):
    """Runs whose accuracy is a straight line over log2 of the samples and is 75 % at ``samples``."""
    side = 4 * round(sqrt(patches))
    for size in SIZES:
        made = run(seed, model, data__image_shape=[1, side, side], data__train_size=size, data__source__sigma=sigma)
        made["metrics"]["test/acc"] = 0.75 + 0.05 * (log2(size) - log2(samples))
        made["path"] = f"{model}-k{patches}-n{size}-seed{seed}"
        yield made


@pytest.fixture
def done(program, tmp_path):
    return lambda: program(str(ROOT / "scripts" / "samples_needed.py"), str(tmp_path), cwd=tmp_path)


@pytest.fixture
def said(done):
    def lines():
        ended = done()
        assert ended.code == 0, ended.err
        return ended.out.splitlines()

    return lines


@pytest.mark.e2e
def test_finds_samples_and_exponent(said, tmp_path):
    rows = [(20, "dense", 4), (80, "dense", 16), (12, "conv", 4), (12, "conv", 16)]
    kept(tmp_path, *(made for row in rows for seed in (0, 1) for made in passing_at(*row, seed)))
    _, *lines = said()
    assert sorted(lines[::2]) == [
        "conv; k = 4: 12 +- 0 (n = 2); k = 16: 12 +- 0 (n = 2)",
        "dense; k = 4: 20 +- 0 (n = 2); k = 16: 80 +- 0 (n = 2)",
    ]
    assert any("exponent 1 +- 0 (n = 2), in theory at least 2.00" in line for line in lines)
    assert any("exponent 0 +- 0 (n = 2), in theory at most 0.34" in line for line in lines)


@pytest.mark.e2e
def test_the_bounds_have_the_noise_of_each_size(said, tmp_path):
    rows = [(20, "dense", 4, 0, 0.4), (80, "dense", 16, 0, 0.2)]
    kept(tmp_path, *(made for row in rows for made in passing_at(*row)))
    assert said()[-1] == "  exponent 1 (n = 1), in theory at least 1.00"


@pytest.mark.e2e
def test_a_seed_that_is_above_or_below_at_all_sizes_counts_in_no_n(said, tmp_path):
    rows = [(2, "local", 4, 0), (20, "local", 4, 1), (40, "local", 16, 0), (40, "local", 16, 1), (999, "local", 16, 2)]
    kept(tmp_path, *(made for row in rows for made in passing_at(*row)))
    _, numbers, exponent = said()
    assert numbers == "local; k = 4: 20 (n = 1); k = 16: 40 +- 0 (n = 2)"
    assert exponent.startswith("  exponent 0.5 (n = 1), in theory 1.00 to ")


@pytest.mark.e2e
def test_nothing_within_the_sizes_tried(said, tmp_path):
    kept(tmp_path, *passing_at(2, "conv", 4, 0), *passing_at(999, "conv", 16, 0))
    _, numbers, exponent = said()
    assert numbers == "conv; k = 4: not within the sizes tried; k = 16: not within the sizes tried"
    assert exponent.startswith("  exponent not within the sizes tried, in theory at most 0.34")


@pytest.mark.e2e
@pytest.mark.parametrize(("rows", "says"), [([], "no run"), ([(9, "conv", 4, 0)], "data.image_shape is the same in all runs")])
def test_runs_that_tell_nothing_get_one_line(done, tmp_path, rows, says):
    kept(tmp_path, *(made for row in rows for made in passing_at(*row)))
    ended = done()
    assert ended.code == 1
    assert says in ended.err
    assert "Traceback" not in ended.err
