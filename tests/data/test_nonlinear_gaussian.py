"""The signals have the covariance and the kurtosis that their settings say, the same at every pixel."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from convexp.data.nonlinear_gaussian import (
    GREY,
    correlation,
    excess_kurtosis,
    levels,
    nonlinear_gaussian,
    spectrum,
    transform,
)
from convexp.errors import ConfigError

few = settings(deadline=None, max_examples=40)
CASE = {"shape": [1, 24], "xi": [1.0, 4.0], "marginal": "erf", "gain": 1.0, "exponent": 8.0, "seed": 0}
N = 40_000
FAMILIES = [("erf", 0.3), ("erf", 3.0), ("algebraic", 8.0), ("algebraic", 30.0)]


def drawn(marginal: str, parameter: float, n: int = N):
    """The values x of test signals by class, and their number by class, (classes, n, length)."""
    source = nonlinear_gaussian(
        **CASE | {"marginal": marginal, "gain": parameter, "exponent": max(5, parameter)}, train=1, test=n
    )
    scale = levels(marginal, parameter)
    return [(source.test_images[source.test_labels == c, 0].double() - GREY) / scale for c in (0, 1)]


@few
@given(st.integers(4, 60), st.floats(0.2, 0.6))
def test_the_correlation_is_one_at_distance_zero_and_symmetric_around_the_ring(n, share):
    found = correlation(n, share * n / 4)
    assert float(found[0]) == pytest.approx(1)
    assert torch.allclose(found[1:], found[1:].flip(0))
    assert float(spectrum(n, share * n / 4).min()) >= 0
    d = torch.arange(n).double().minimum(n - torch.arange(n).double())
    assert torch.allclose(found, (-((d / (share * n / 4)) ** 2)).exp(), atol=1e-3)  # but for what is clipped from the spectrum


@few
@given(st.sampled_from(["erf", "algebraic"]), st.floats(4.5, 40), st.floats(0, 5))
def test_the_function_is_odd_and_rises(marginal, parameter, z):
    here, further = torch.tensor([z, z + 0.1], dtype=torch.float64)
    assert float(transform(-here, marginal, parameter)) == pytest.approx(-float(transform(here, marginal, parameter)))
    assert float(transform(further, marginal, parameter)) >= float(transform(here, marginal, parameter))


@pytest.mark.parametrize(("marginal", "parameter"), [*FAMILIES, ("algebraic", 12.0), ("erf", 100.0)])
def test_variance_and_kurtosis_by_quadrature(marginal, parameter):
    z = torch.linspace(-9, 9, 900_001, dtype=torch.float64)
    density = (-z.square() / 2).exp() / (-z.square() / 2).exp().sum()
    x = transform(z, marginal, parameter)
    assert float((x.square() * density).sum()) == pytest.approx(1, rel=2e-3)
    assert float((x**4 * density).sum()) - 3 == pytest.approx(excess_kurtosis(marginal, parameter), abs=0.02)


def test_the_kurtosis_goes_with_gain_and_exponent():
    gains = [excess_kurtosis("erf", g) for g in (0.001, 0.1, 1, 10, 1000)]
    exponents = [excess_kurtosis("algebraic", q) for q in (4.5, 5, 6, 10, 1000)]
    assert gains == sorted(gains, reverse=True)
    assert exponents == sorted(exponents, reverse=True)
    assert gains[0] == pytest.approx(0, abs=1e-4)
    assert gains[-1] == pytest.approx(-2, abs=1e-2)
    assert exponents[1] > 1
    assert exponents[-1] == pytest.approx(-1.2, abs=1e-3)  # of a uniform distribution


@pytest.mark.parametrize(("marginal", "parameter"), FAMILIES)
def test_signals_have_this_kurtosis(marginal, parameter):
    for x in drawn(marginal, parameter):
        assert abs(float(x.mean())) < 0.02
        assert float(x.square().mean()) == pytest.approx(1, abs=0.02)
        assert float((x**4).mean() / x.square().mean() ** 2) - 3 == pytest.approx(excess_kurtosis(marginal, parameter), abs=0.1)


def test_a_small_exponent_has_heavy_tails_but_for_what_is_clipped():
    """Of x itself the excess kurtosis is ``B(5/q, 1 - 4/q) q / B(3/q, 1 - 2/q)^2 - 3``, 1.29 for q = 5."""
    assert excess_kurtosis("algebraic", 5.0) == pytest.approx(1.017, abs=1e-3)
    for x in drawn("algebraic", 5.0):
        assert float((x**4).mean() / x.square().mean() ** 2) - 3 == pytest.approx(1.017, abs=0.25)


@pytest.mark.parametrize("gain", [0.3, 3.0])
def test_the_covariance_depends_on_the_distance_alone_and_is_that_of_the_formula(gain):
    for x, xi in zip(drawn("erf", gain), CASE["xi"], strict=True):
        found = x.T @ x / len(x)
        aligned = torch.stack([row.roll(-i) for i, row in enumerate(found)])  # by distance
        assert float(aligned.std(0).max()) < 4 / (N / 2) ** 0.5
        inner = 2 * gain**2 / (1 + 2 * gain**2)
        expected = (inner * correlation(24, xi)).asin() / math.asin(inner)
        assert torch.allclose(aligned.mean(0), expected, atol=0.015)


def test_a_smaller_part_is_the_beginning_of_a_larger_one_and_the_seed_decides():
    small, large = (nonlinear_gaussian(**CASE, train=n, test=n) for n in (30, 1200))
    assert torch.equal(small.train_images, large.train_images[:30])
    assert torch.equal(small.test_labels, large.test_labels[:30])
    assert not torch.equal(large.train_images, large.test_images)
    assert nonlinear_gaussian(**CASE | {"seed": 1}, train=30, test=30).checksum() != small.checksum()
    assert small.class_names == ("xi = 1", "xi = 4")
    assert small.train_images.shape == (30, 1, 24)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"shape": [2, 24]}, "shape=[2, 24]: should be one channel and one dimension"),
        ({"shape": [1, 4, 4]}, "shape=[1, 4, 4]: should be one channel and one dimension"),
        ({"xi": [1]}, "xi=[1]: should be different lengths"),
        ({"xi": [1, 1]}, "xi=[1, 1]: should be different lengths"),
        ({"xi": [1, 7]}, "xi=[1, 7]: should be different lengths, one for each class, above 0 and at most 6"),
        ({"xi": ["a", 1]}, "xi=['a', 1]: should be different lengths"),
        ({"marginal": "tanh"}, "marginal=tanh: should be erf or algebraic"),
        ({"gain": 0}, "gain=0: should be a number from 0.001"),
        ({"exponent": 4}, "exponent=4: should be a number from 4.001"),
        ({"exponent": float("nan")}, "exponent=nan: should be a number"),
        ({"train": 0}, "train=0: should be a whole number, 1 or more"),
        ({"seed": -1}, "seed=-1: should be a whole number, 0 or more"),
    ],
)
def test_a_wrong_setting_is_named(wrong, words):
    with pytest.raises(ConfigError) as error:
        nonlinear_gaussian(**CASE | {"train": 10, "test": 10} | wrong)
    assert str(error.value).startswith(f"data.source.{words}".replace("data.source.shape", "data.image_shape"))
    assert "\n" not in str(error.value)
