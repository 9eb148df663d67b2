"""The pattern is where the labels and positions say, and nothing but the pattern tells."""

import pytest
import torch
from conftest import SMALL, read
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from convexp.data.waldo import CHUNK, CONTRAST, GREY, patterns, waldo, waldo_images
from convexp.errors import ConfigError

few = settings(deadline=None, max_examples=25)
CASE = {
    "part": "train",
    "n": 40,
    "shape": [1, 24, 20],
    "task": "presence",
    "grid": 3,
    "side": 4,
    "distractors": 3,
    "noise": 0.0,
    "seed": 0,
}


def images(**changes):
    return waldo_images(**(CASE | changes))


def matched_filter(pixels, side):
    """Share of the pattern's pixels that agree, minus those that do not: 1 where it lies and only there."""
    signs = (pixels.double() - GREY) / CONTRAST
    return F.conv2d(signs, patterns(side)[:1, None].double())[:, 0] / side**2


@st.composite
def cases(draw):
    side = draw(st.sampled_from([4, 6, 8]))
    height, width = (draw(st.integers(side, 5 * side)) for _ in range(2))
    places = [height - side + 1, width - side + 1]
    most = (places[0] * places[1] - 1) // (min(2 * side + 1, places[0]) * min(2 * side + 1, places[1]))
    return {
        "shape": [1, height, width],
        "side": side,
        "distractors": draw(st.integers(0, most)),
        "part": draw(st.sampled_from(["train", "test"])),
        "seed": draw(st.integers(0, 2**31)),
    }


@few
@given(cases())
def test_a_matched_filter_finds_the_pattern_where_it_is_and_nowhere_else(case):
    pixels, labels, positions = images(**case, n=300)
    found = (matched_filter(pixels, case["side"]) == 1).nonzero()  # (image, row, column)
    assert found[:, 0].tolist() == (labels == 1).nonzero()[:, 0].tolist()
    assert torch.equal(found[:, 1:], positions[labels == 1])
    assert bool((positions[labels == 0] == -1).all())


@few
@given(cases())
def test_every_image_has_the_same_histogram(case):
    """So brightness tells nothing; and since no bright or dark pixel is missing, no patches overlap."""
    pixels, labels, _ = images(**case, n=300)
    each = (1 + case["distractors"]) * case["side"] ** 2 // 2
    for value, count in ((GREY - CONTRAST, each), (GREY + CONTRAST, each), (GREY, pixels[0].numel() - 2 * each)):
        assert set((pixels == value).flatten(1).sum(1).tolist()) == {count}
    assert sorted(set(labels.tolist())) == [0, 1]


@pytest.mark.parametrize("side", [4, 6, 8, 10])
def test_patterns_are_half_bright_and_differ(side):
    kinds = patterns(side)
    assert set(kinds.unique().tolist()) == {-1, 1}
    assert kinds.sum((1, 2)).tolist() == [0] * 7
    assert len(kinds.unique(dim=0)) == 7
    assert kinds[0, :, 0].tolist() == [1, -1] * (side // 2)
    assert bool((kinds[0] == kinds[0, :, :1]).all())


def test_all_distractors_occur():
    pixels, _, _ = images(n=200, distractors=2)
    signs = (pixels.float() - GREY) / CONTRAST
    responses = F.conv2d(signs, patterns(4)[:, None]).flatten(2).amax(2)  # (200, 7)
    assert bool((responses == 16).any(0).all())


def test_the_pattern_is_equally_often_at_every_place():
    _, _, positions = images(n=40_000, task="location", shape=[1, 13, 16], distractors=1)
    counts = torch.bincount(positions[:, 0] * 13 + positions[:, 1], minlength=130).double()
    assert len(counts) == 10 * 13
    expected = 40_000 / 130
    assert float(((counts - expected) ** 2 / expected).sum()) < 129 + 5 * (2 * 129) ** 0.5


def test_where_patches_lie_does_not_tell_the_classes_apart():
    pixels, labels, _ = images(n=20_000, shape=[1, 16, 16], distractors=2)
    covered = (pixels != GREY)[:, 0].double()  # (n, 16, 16)
    absent, present = covered[labels == 0], covered[labels == 1]
    share = covered.mean(0)
    deviation = (share * (1 - share) * 2 / 10_000).sqrt()
    assert float(((present.mean(0) - absent.mean(0)) / deviation).abs().max()) < 5


@few
@given(st.integers(8, 30), st.integers(8, 30), st.integers(2, 3), st.integers(0, 2**31))
def test_the_label_is_the_cell_of_the_centre(height, width, grid, seed):
    _, labels, positions = images(task="location", shape=[1, height, width], grid=grid, distractors=0, seed=seed, n=200)
    for label, (row, column) in zip(labels.tolist(), positions.tolist(), strict=True):
        cell = label // grid, label % grid
        for at, size, index in ((row, height, cell[0]), (column, width, cell[1])):
            assert index * size <= (at + 2) * grid < (index + 1) * size


def test_every_cell_occurs():
    most = 2 * 20 // 4 - 1
    labels = images(task="location", grid=most, n=5000)[1]
    assert labels.unique().tolist() == list(range(most**2))


@pytest.mark.parametrize("n", [1, 2, 7, 1001, 2000])
def test_half_of_every_beginning_has_the_pattern(n):
    labels = images(n=n)[1]
    assert int(labels.sum()) == n // 2


@pytest.mark.parametrize("task", ["presence", "location"])
@pytest.mark.parametrize(("n", "more"), [(1, 2), (30, CHUNK), (CHUNK, CHUNK + 1), (CHUNK + 7, 2 * CHUNK + 5)])
def test_a_smaller_set_is_the_beginning_of_a_larger_one(task, n, more):
    small, large = images(n=n, task=task, noise=20), images(n=more, task=task, noise=20)
    assert [len(tensor) for tensor in large] == [more] * 3
    assert all(torch.equal(a, b[:n]) for a, b in zip(small, large, strict=True))


def test_no_image_comes_twice():
    pixels = torch.cat([images(part=part, seed=seed, n=CHUNK + 200)[0] for part in ("train", "test") for seed in (0, 1)])
    whole = pixels.flatten(1).unique(dim=0)
    assert len(whole) == 4 * (CHUNK + 200)


def test_the_seed_decides():
    first = waldo([1, 24, 20], 50, 30, "presence", 3, 4, 3, 10.0, 5)
    torch.rand(1)  # whatever the global state
    again = waldo([1, 24, 20], 50, 30, "presence", 3, 4, 3, 10.0, 5)
    other = waldo([1, 24, 20], 50, 30, "presence", 3, 4, 3, 10.0, 6)
    assert first.checksum() == again.checksum() != other.checksum()
    assert first.train_images.shape == (50, 1, 24, 20)
    assert first.test_images.shape == (30, 1, 24, 20)
    assert first.train_images.dtype == torch.uint8
    assert first.train_labels.dtype == torch.int64
    assert torch.equal(first.test_images, images(part="test", n=30, noise=10.0, seed=5)[0])


@pytest.mark.parametrize("noise", [1, 5.0, 20.0])
def test_noise_has_the_deviation_that_is_asked_for(noise):
    clean, noisy = images(n=1000)[0].double(), images(n=1000, noise=noise)[0].double()
    difference = noisy - clean
    n = difference.numel()
    variance = noise**2 + 1 / 12  # of rounding
    assert abs(float(difference.mean())) < 5 * (variance / n) ** 0.5
    assert float(difference.var()) == pytest.approx(variance, rel=0.01 if noise > 1 else 0.02)


def test_a_matched_filter_still_finds_it_in_noise():
    pixels, _, positions = images(n=2000, task="location", shape=[1, 32, 32], distractors=6, noise=32)
    best = matched_filter(pixels, 4).flatten(1).argmax(1)
    assert float((best == positions[:, 0] * 29 + positions[:, 1]).double().mean()) > 0.98


def test_much_noise_is_clipped():
    pixels = images(noise=1e4, n=10)[0]
    assert float(((pixels == 0) | (pixels == 255)).double().mean()) > 0.95


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"shape": [3, 24, 20]}, "shape=[3, 24, 20]: should be one channel"),
        ({"shape": [1, 24]}, "shape=[1, 24]: should be one channel and two dimensions"),
        ({"side": 5}, "side=5: should be even"),
        ({"side": 2}, "side=2: should be a whole number, 4 or more"),
        ({"side": 4.0}, "side=4.0: should be a whole number"),
        ({"side": 22}, "side=22: should be even and no larger than the image, 20"),
        ({"distractors": -1}, "distractors=-1: should be a whole number, 0 or more"),
        ({"distractors": 5}, "distractors=5: should be at most 4; more patches of side 4"),
        ({"noise": -1.0}, "noise=-1.0: should be a number"),
        ({"noise": float("nan")}, "noise=nan: should be a number"),
        ({"noise": "much"}, "noise=much: should be a number"),
        ({"task": "find"}, "task=find: should be presence or location"),
        ({"grid": 1}, "grid=1: should be a whole number, 2 or more"),
        ({"grid": 10, "task": "location"}, "grid=10: should be at most 9"),
        ({"n": 0}, "train=0: should be a whole number, 1 or more"),
        ({"n": 0, "part": "test"}, "test=0: should be a whole number, 1 or more"),
        ({"seed": -1}, "seed=-1: should be a whole number, 0 or more"),
    ],
)
def test_a_wrong_setting_is_named(wrong, words):
    with pytest.raises(ConfigError) as error:
        images(**wrong)
    assert str(error.value).startswith(f"data.source.{words}".replace("data.source.shape", "data.image_shape"))
    assert "\n" not in str(error.value)


def test_as_many_as_are_said_to_fit_do_fit():
    pixels, _, _ = images(distractors=4, n=1000)
    assert set((pixels != GREY).flatten(1).sum(1).tolist()) == {5 * 16}


@pytest.mark.parametrize(("task", "classes"), [("presence", 2), ("location", 9)])
def test_a_run(call, tmp_path, task, classes):
    small = ("data.source.train=600", "data.source.test=100", "data.val_size=100", "hydra.run.dir=run")
    done = call("train", "data=waldo", f"data.source.task={task}", f"data.classes={classes}", *small, *SMALL)
    assert done.code == 0, done.err
    assert read(tmp_path / "run")["data"]["test"] == 100


def test_a_wrong_setting_ends_the_run_in_one_line(call):
    done = call("train", "data=waldo", "data.source.distractors=99")
    assert done.code == 2
    assert done.err.count("\n") == 1
    assert "data.source.distractors=99: should be at most 10" in done.err


def test_the_object_is_where_the_pattern_is():
    """On the canvas and after the shift too: the frame that the run hands to its probes holds the stripes."""

    from convexp.config.compose import compose_config
    from convexp.execution import build

    overrides = ["data=waldo", "data.canvas=40", "data.position=random", "data.shift.test=3", "data.source.noise=0"]
    config = compose_config(*overrides, "data.source.train=300", "data.source.test=200", "data.val_size=100")
    data = build.dataset(config)
    images, labels = data.test.first(200)
    assert data.objects is not None
    there = data.objects[:, 0, 0] >= 0
    assert not (there & (labels == 0)).any()
    assert there.sum() > 80
    stripes = patterns(4)[0] * CONTRAST + GREY
    for image, box in zip(images[there], data.objects[there].tolist(), strict=True):
        (top, left), (bottom, right) = box
        assert torch.equal(image[0, top:bottom, left:right].float(), stripes)
