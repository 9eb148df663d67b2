"""The dynamic signal distribution is the one that was published, and its best decision is the best."""

import math
from statistics import NormalDist

import numpy as np
import pytest
import torch
from conftest import SMALL, read
from hypothesis import given, settings
from hypothesis import strategies as st

from convexp.data.dsd import (
    CHUNK,
    GREY,
    SMALLEST_SIGMA,
    dsd,
    levels,
    log_likelihood_ratio,
    patches,
    samples_of_averaging,
    signal,
)
from convexp.errors import ConfigError

few = settings(deadline=None, max_examples=40)
SHAPE, PATCH, SIGMA, SEED = [1, 12, 8], 4, 0.25, 3
K, D, N = 6, 16, 60_000
W = signal(D, SEED)


@pytest.fixture(scope="module")
def source():
    return dsd(SHAPE, PATCH, 3000, N, SIGMA, SEED)


@pytest.fixture(scope="module")
def x(source):
    return patches(source.test_images, PATCH, W, SIGMA)


@pytest.fixture(scope="module")
def y(source):
    return 2 * source.test_labels - 1


@few
@given(st.integers(1, 100), st.integers(0, 2**31))
def test_the_signal_is_a_unit_vector_of_its_seed(d, seed):
    w = signal(d, seed)
    assert w.shape == (d,)
    assert float(w.norm()) == pytest.approx(1)
    assert torch.equal(w, signal(d, seed))
    if d > 1:
        assert float((w - signal(d, seed + 1)).abs().max()) > 1e-6


def test_in_a_class_every_patch_has_the_mean_of_w_over_k(x, y):
    assert x.shape == (N, K, D)
    for sign in (-1, 1):
        mine = x[y == sign]
        error = (mine.mean(0) - sign * W / K) / (mine.std(0) / len(mine) ** 0.5)  # in standard errors
        assert float(error.abs().max()) < 4.5
        assert float(error.square().mean()) == pytest.approx(1, abs=0.6)


def test_train_and_test_have_one_signal_and_different_draws(source):
    learn = patches(source.train_images, PATCH, W, SIGMA)
    estimate = ((2 * source.train_labels - 1)[:, None, None] * learn).sum(1).mean(0)  # of w
    assert float(estimate @ W) == pytest.approx(1, abs=0.1)
    assert float((estimate - W).norm()) < 0.15
    everything = torch.cat((source.train_images, source.test_images)).flatten(1)
    assert len(everything.unique(dim=0)) == len(everything)


def test_labels_and_places_are_uniform(source, y):
    assert abs(float(y.double().mean())) < 4 / N**0.5
    clear = dsd(SHAPE, PATCH, 1, N, SMALLEST_SIGMA, SEED)
    x = patches(clear.test_images, PATCH, W, SMALLEST_SIGMA)
    t = (x @ W).abs().argmax(1)
    counts = torch.bincount(t, minlength=K).double()
    assert float(((counts - N / K) ** 2 / (N / K)).sum()) < 25  # chi squared of 5 degrees: p = 1e-4
    assert torch.equal((x @ W)[torch.arange(N), t].sign().long(), 2 * clear.test_labels - 1)


@pytest.mark.parametrize("sigma", [SMALLEST_SIGMA, 0.25, 1.0, 4.0])
def test_neither_rounding_nor_clipping_counts(sigma):
    source = dsd([1, 32, 32], 4, 1, 3000, sigma, SEED)
    share = float(((source.test_images == 0) | (source.test_images == 255)).double().mean())
    assert share < 6e-6  # 3e6 pixels, at most 6e-7 expected
    x = patches(source.test_images, 4, W, sigma)
    far = x[(x @ W).abs() < (x @ W).abs().amax(1, keepdim=True)]  # patches other than the signal's, mostly
    across = far - (far @ W)[:, None] * W  # the direction of w may be selected, the others are not
    variance = float(across.square().sum(1).mean()) / (D - 1)
    assert variance == pytest.approx(sigma**2, rel=0.01)
    assert 1 / 12 / (levels(W, sigma) * sigma) ** 2 < 0.004


def test_what_does_not_fit_is_clipped_and_does_not_wrap(monkeypatch):
    monkeypatch.setattr("convexp.data.dsd.levels", lambda w, sigma: 1e4)
    images = dsd(SHAPE, PATCH, 1, 100, SIGMA, SEED).test_images
    assert float(((images == 0) | (images == 255)).double().mean()) > 0.9


@few
@given(st.integers(1, 64), st.floats(SMALLEST_SIGMA, 100), st.integers(0, 1000))
def test_a_signal_and_five_deviations_fit_into_grey_levels(d, sigma, seed):
    w = signal(d, seed)
    scale, reach = levels(w, sigma), float(w.abs().max()) + 5 * sigma
    assert GREY + scale * reach <= 255 + 1e-9
    assert GREY - scale * reach >= 0
    assert scale * sigma >= 5


@few
@given(st.integers(1, 5), st.integers(1, 6), st.floats(0.2, 3), st.integers(0, 1000))
def test_the_ratio_is_that_of_the_two_mixtures(k, d, sigma, seed):
    rng = np.random.default_rng(seed)
    x, w = rng.normal(size=(7, k, d)), signal(d, seed).numpy()

    def likelihood(y):
        """By the definition: the density of all pixels, for each place of the signal in turn."""
        total = 0
        for t in range(k):
            mean = np.zeros((k, d))
            mean[t] = y * w
            total += np.exp(-((x - mean) ** 2).sum((1, 2)) / (2 * sigma**2) + (x**2).sum((1, 2)) / (2 * sigma**2)) / k
        return total

    ratio = log_likelihood_ratio(torch.from_numpy(x), torch.from_numpy(w), sigma)
    assert ratio.numpy() == pytest.approx(np.log(likelihood(1) / likelihood(-1)), rel=1e-6, abs=1e-9)


@few
@given(st.integers(1, 9), st.integers(1, 9), st.floats(SMALLEST_SIGMA, 3), st.integers(0, 1000))
def test_the_ratio_is_odd_and_blind_to_the_order_of_patches(k, d, sigma, seed):
    drawn = torch.Generator().manual_seed(seed)
    x, w = torch.randn(5, k, d, generator=drawn, dtype=torch.float64), signal(d, seed)
    ratio = log_likelihood_ratio(x, w, sigma)
    assert torch.allclose(log_likelihood_ratio(-x, w, sigma), -ratio)
    assert torch.allclose(log_likelihood_ratio(x[:, torch.randperm(k, generator=drawn)], w, sigma), ratio)


def bayes(x, y, sigma):
    return float((log_likelihood_ratio(x, W, sigma).sign() == y).double().mean())


@pytest.mark.parametrize("sigma", [0.2, 0.35, 0.6])
def test_its_accuracy_is_that_of_floats_drawn_elsewhere(sigma):
    """Since only <w, x_t> matters, one number for each patch is enough: y [t = s] + sigma * normal."""
    source = dsd(SHAPE, PATCH, 1, N, sigma, SEED)
    ours = bayes(patches(source.test_images, PATCH, W, sigma), 2 * source.test_labels - 1, sigma)
    rng, n = np.random.default_rng(0), 400_000
    match = sigma * rng.normal(size=(n, K))
    match[np.arange(n), rng.integers(K, size=n)] += 1  # y = +1
    theirs = (np.exp(match / sigma**2).sum(1) > np.exp(-match / sigma**2).sum(1)).mean()
    assert abs(ours - theirs) < 4 * (theirs * (1 - theirs) * (1 / N + 1 / n)) ** 0.5


def test_its_ratio_says_how_sure_it_is(x, y):
    """The expected accuracy is the mean of ``1 / (1 + exp(-|ratio|))``, overall and where it is unsure."""
    ratio = log_likelihood_ratio(x, W, SIGMA)
    for some in (ratio.abs() >= 0, ratio.abs() < 2):
        right, sure = (ratio.sign() == y)[some].double(), ratio[some].abs().sigmoid()
        assert abs(float((right - sure).mean())) < 4 * float(right.std()) / len(right) ** 0.5


def test_nothing_simpler_is_as_good(x, y):
    linear = float(((x @ W).sum(1).sign() == y).double().mean())
    assert linear == pytest.approx(0.5 * math.erfc(-1 / (SIGMA * (2 * K) ** 0.5)), abs=0.006)  # Phi(1 / (sigma sqrt(k)))
    assert bayes(x, y, SIGMA) > linear + 0.02


def test_the_best_decisions_that_conf_data_dsd_names():
    source, w = dsd([1, 16, 16], 4, 1, 10_000, 0.2, 0), signal(16, 0)
    x, y = patches(source.test_images, 4, w, 0.2), 2 * source.test_labels - 1
    best, linear = ((d.sign() == y).double().mean() for d in (log_likelihood_ratio(x, w, 0.2), (x @ w).sum(1)))
    assert round(float(best) * 100, 1) == 99.8
    assert round(float(linear) * 100, 1) == 89.5


def test_one_patch_is_a_linear_task():
    sigma = 0.8
    source = dsd([1, 4, 4], 4, 1, 20_000, sigma, SEED)
    accuracy = bayes(patches(source.test_images, 4, W, sigma), 2 * source.test_labels - 1, sigma)
    assert accuracy == pytest.approx(0.5 * math.erfc(-1 / (sigma * 2**0.5)), abs=0.01)


def test_patches_are_read_row_by_row():
    image = torch.arange(24, dtype=torch.uint8).reshape(1, 1, 4, 6)
    values = patches(image, 2, W, SIGMA) * levels(W, SIGMA) + GREY
    assert values[0].round().int().tolist() == [
        [0, 1, 6, 7],
        [2, 3, 8, 9],
        [4, 5, 10, 11],
        [12, 13, 18, 19],
        [14, 15, 20, 21],
        [16, 17, 22, 23],
    ]
    line = patches(torch.arange(6, dtype=torch.uint8).reshape(1, 1, 6), 3, W, SIGMA) * levels(W, SIGMA) + GREY
    assert line[0].round().int().tolist() == [[0, 1, 2], [3, 4, 5]]


def test_one_dimension_has_the_same_law():
    source = dsd([1, K * D], D, 1, N, SIGMA, SEED)
    assert source.test_images.shape == (N, 1, K * D)
    line, y = patches(source.test_images, D, W, SIGMA), 2 * source.test_labels - 1
    assert line.shape == (N, K, D)
    ratio = log_likelihood_ratio(line, W, SIGMA)
    right = (ratio.sign() == y).double()
    assert abs(float((right - ratio.abs().sigmoid()).mean())) < 4 * float(right.std()) / N**0.5
    flat = dsd([1, 12, 8], 4, 1, N, SIGMA, SEED)
    two = bayes(patches(flat.test_images, 4, W, SIGMA), 2 * flat.test_labels - 1, SIGMA)
    assert abs(float(right.mean()) - two) < 4 * (2 * two * (1 - two) / N) ** 0.5


@pytest.mark.parametrize(("n", "more"), [(1, 2), (30, CHUNK), (CHUNK, CHUNK + 1), (CHUNK + 7, 2 * CHUNK + 5)])
def test_a_smaller_set_is_the_beginning_of_a_larger_one(n, more):
    small, large = dsd(SHAPE, PATCH, n, n, SIGMA, SEED), dsd(SHAPE, PATCH, more, more, SIGMA, SEED)
    assert len(large.train_images) == len(large.train_labels) == len(large.test_images) == len(large.test_labels) == more
    assert torch.equal(small.train_images, large.train_images[:n])
    assert torch.equal(small.train_labels, large.train_labels[:n])
    assert torch.equal(small.test_images, large.test_images[:n])
    assert torch.equal(small.test_labels, large.test_labels[:n])


def test_the_seed_decides():
    first = dsd(SHAPE, PATCH, 50, 30, SIGMA, 5)
    torch.rand(1)  # whatever the global state
    again, other = dsd(SHAPE, PATCH, 50, 30, SIGMA, 5), dsd(SHAPE, PATCH, 50, 30, SIGMA, 6)
    assert first.checksum() == again.checksum() != other.checksum()
    assert not torch.equal(first.train_labels, other.train_labels)
    assert not torch.equal(first.test_labels, other.test_labels)
    assert first.train_images.shape == (50, 1, 12, 8)
    assert first.train_images.dtype == torch.uint8
    assert first.train_labels.dtype == torch.int64


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"shape": [3, 12, 8]}, "shape=[3, 12, 8]: should be one channel"),
        ({"shape": [1]}, "shape=[1]: should be one channel and one or two dimensions"),
        ({"shape": [1, 4, 4, 4]}, "shape=[1, 4, 4, 4]: should be one channel and one or two dimensions"),
        ({"patch": 3}, "patch=3: should divide the size of the images, 12 and 8"),
        ({"patch": 16}, "patch=16: should divide"),
        ({"patch": 0}, "patch=0: should be a whole number, 1 or more"),
        ({"patch": 2.0}, "patch=2.0: should be a whole number"),
        ({"train": 0}, "train=0: should be a whole number, 1 or more"),
        ({"test": 0.5}, "test=0.5: should be a whole number, 1 or more"),
        ({"seed": -1}, "seed=-1: should be a whole number, 0 or more"),
        ({"sigma": 0.01}, "sigma=0.01: should be a number, 0.05 or more"),
        ({"sigma": float("inf")}, "sigma=inf: should be a number"),
        ({"sigma": float("nan")}, "sigma=nan: should be a number"),
        ({"sigma": "low"}, "sigma=low: should be a number"),
    ],
)
def test_a_wrong_setting_is_named(wrong, words):
    right = {"shape": SHAPE, "patch": PATCH, "train": 10, "test": 10, "sigma": SIGMA, "seed": SEED}
    with pytest.raises(ConfigError) as error:
        dsd(**(right | wrong))
    assert str(error.value).startswith(f"data.source.{words}".replace("data.source.shape", "data.image_shape"))
    assert "\n" not in str(error.value)


MATCHED = ("model.channels=[2]", "model.kernel_size=4", "model.stride=4", "model.padding=0", "model.readout=global_max")


def test_a_run_learns(call, tmp_path):
    small = ("data.source.train=3000", "data.source.test=500", "data.val_size=500", "optimizer.lr=0.05")
    done = call("train", *SMALL, "data=dsd", *MATCHED, *small, "data.source.sigma=0.1", "hydra.run.dir=run")
    assert done.code == 0, done.err
    assert read(tmp_path / "run")["metrics"]["test/acc"] > 0.9


def test_a_wrong_setting_ends_the_run_in_one_line(call):
    done = call("train", "data=dsd", "data.source.patch=5")
    assert done.code == 2
    assert done.err.count("\n") == 1
    assert "data.source.patch=5: should divide" in done.err


@pytest.mark.parametrize("accuracy", [0.7, 0.8, 0.9])
def test_averaging_needs_the_samples_of_its_formula(source, x, y, accuracy):
    n = round(samples_of_averaging(K, D, SIGMA, accuracy))
    learn = patches(source.train_images, PATCH, W, SIGMA) * (2 * source.train_labels - 1)[:, None, None]
    parts = learn[: len(learn) // n * n].unflatten(0, (-1, n))[:30]  # each n samples for a classifier of its own
    weights = parts.mean(1).flatten(1)
    right = (x.flatten(1) @ weights.T) * y[:, None] > 0
    assert float(right.double().mean()) == pytest.approx(accuracy, abs=0.02)


@few
@given(st.integers(1, 100), st.integers(1, 100), st.floats(0.05, 1), st.floats(0.51, 0.999))
def test_the_samples_of_averaging_grow_as_the_places_if_the_noise_falls(k, d, sigma, accuracy):
    once, twice = samples_of_averaging(k, d, sigma, accuracy), samples_of_averaging(4 * k, d, sigma / 2, accuracy)
    assert twice == pytest.approx(4 * once)
    best = NormalDist().cdf(1 / (sigma * k**0.5))
    assert math.isinf(once) == (accuracy >= best) or accuracy == pytest.approx(best)
    assert samples_of_averaging(4 * k, d, sigma, accuracy) > 4 * once or math.isinf(once)


@pytest.mark.parametrize("accuracy", [0.3, 0.5, 1, math.nan])
def test_averaging_has_no_samples_for_chance_or_less_or_certainty(accuracy):
    with pytest.raises(ValueError, match=f"accuracy={accuracy}: should be above 0.5"):
        samples_of_averaging(K, D, SIGMA, accuracy)
