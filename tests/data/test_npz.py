import zipfile

import numpy as np
import pytest
import torch
from conftest import SMALL, read
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from convexp.data.npz import npz
from convexp.errors import ConfigError

few = settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])


def some(n: int = 20, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    return np.random.default_rng(seed).integers(0, 256, (n, 3, 4, 5), dtype=np.uint8), np.arange(n) % 2


def load(tmp_path, shape=(3, 4, 5), **arrays):
    np.savez(tmp_path / "mine.npz", **arrays)
    return npz(str(tmp_path / "mine.npz"), list(shape), 4, 0)


PARTS = ("train_images", "train_labels", "test_images", "test_labels")


@pytest.mark.parametrize("names", [PARTS, ("x_train", "y_train", "x_test", "y_test")])
def test_parts(tmp_path, names):
    arrays = *some(), *some(6, seed=1)
    source = load(tmp_path, **dict(zip(names, arrays, strict=True)))
    assert np.array_equal(source.train_images.numpy(), arrays[0])
    assert np.array_equal(source.train_labels.numpy(), arrays[1])
    found = [np.flatnonzero((arrays[2] == image).all((1, 2, 3))).item() for image in source.test_images.numpy()]
    assert sorted(found) == list(range(6))  # all of them, the classes mixed
    assert np.array_equal(source.test_labels.numpy(), arrays[3][found])
    assert source.test_labels[:2].tolist() == [0, 1]
    assert source.train_images.dtype == torch.uint8
    assert source.train_labels.dtype == torch.int64


def test_a_validation_part_is_learned_from(tmp_path):
    (x, y), (u, v), (s, t) = some(), some(6, seed=1), some(8, seed=2)
    source = load(tmp_path, train_images=x, train_labels=y[:, None], val_images=s, val_labels=t, test_images=u, test_labels=v)
    assert np.array_equal(source.train_images.numpy(), np.concatenate((x, s)))
    assert np.array_equal(source.train_labels.numpy(), np.concatenate((y, t)))


@pytest.mark.parametrize("names", [("images", "labels"), ("x", "y")])
def test_one_part_is_split(tmp_path, names):
    x, y = some()
    source = load(tmp_path, **dict(zip(names, (x, y), strict=True)))
    assert torch.bincount(source.test_labels).tolist() == [2, 2]
    together = torch.cat((source.train_images, source.test_images)).flatten(1).tolist()
    assert sorted(together) == sorted(x.reshape(20, -1).tolist())


def test_orders_of_the_axes(tmp_path):
    x, y = some()
    first, last = load(tmp_path, x=x, y=y), load(tmp_path, x=np.moveaxis(x, 1, -1), y=y)
    assert torch.equal(first.train_images, last.train_images)
    grey = load(tmp_path, (1, 4, 5), x=x[:, 0], y=y)
    assert torch.equal(grey.test_images, first.test_images[:, :1])
    signals = load(tmp_path, (1, 5), x=x[:, 0, 0], y=y)
    assert torch.equal(signals.test_images, first.test_images[:, :1, 0])


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16, np.int64, np.uint16])
def test_whole_numbers_stay_what_they_are(tmp_path, dtype):
    x, y = some()
    assert torch.equal(load(tmp_path, x=x.astype(dtype), y=y).train_images, load(tmp_path, x=x, y=y).train_images)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_shares_are_scaled(tmp_path, dtype):
    x, y = some()
    scaled = x.astype(dtype) / 255
    assert torch.equal(load(tmp_path, x=scaled, y=y).train_images, load(tmp_path, x=x, y=y).train_images)
    truth = load(tmp_path, x=x > 100, y=y).train_images
    assert set(truth.unique().tolist()) == {0, 255}


KINDS = {"bytes": (1, np.uint8), "whole": (1, np.float64), "integers": (1, np.int32), "shares": (255, np.float32)}


@few
@given(st.sampled_from(sorted(KINDS)), st.sampled_from(["x_train", "x_test", "x_val"]), st.sampled_from([np.float32, bool]))
def test_all_parts_have_one_scale(tmp_path, kind, plain, dtype):
    """A part that holds only 0 and 1 says nothing of its scale: the others do."""
    divisor, other = KINDS[kind]
    x, y = some()
    arrays = {"x_train": x, "x_test": x, "x_val": x}
    arrays = {name: (array / divisor).astype(other) for name, array in arrays.items()}
    arrays[plain] = (x > 100).astype(dtype)
    source = load(tmp_path, **arrays, y_train=y, y_test=y, y_val=y)
    order = {"x_train": slice(20), "x_val": slice(20, 40)}
    found = source.test_images if plain == "x_test" else source.train_images[order[plain]]
    assert found.unique().tolist() == [0, divisor]
    assert source.notes == {"pixel_scale": divisor}
    rest = source.train_images[order["x_val"] if plain == "x_train" else order["x_train"]]
    assert torch.equal(rest, torch.from_numpy(x))


@few
@given(st.integers(0, 19), st.sampled_from([np.nan, np.inf, -np.inf]))
def test_what_is_no_number_is_named(tmp_path, image, value):
    x, y = some()
    x = x / 255
    x[image, 1, 2, 3] = value
    with pytest.raises(ConfigError, match=f"mine.npz: x hold values .*NaN.*image {image}"):
        load(tmp_path, x=x, y=y)


X, Y = some()
WRONG = {
    "negative": ({"x": X / 255 - 0.5, "y": Y}, ["x go from -0.5", "0..1"]),
    "too large": ({"x": X.astype(int) * 2, "y": Y}, ["x go from", "0..255"]),
    "no labels": ({"images": X}, ["images", "not labels"]),
    "no test part": ({"x_train": X, "y_train": Y}, ["train_images"]),
    "parts and none": ({"x": X, "y": Y, "x_test": X, "y_test": Y}, ["images in parts (test) and images in none"]),
    "nothing known": ({"pictures": X, "kinds": Y}, ["images"]),
    "fewer labels": ({"x": X, "y": Y[:7]}, ["20", "7"]),
    "none at all": ({"x": X[:0], "y": Y[:0]}, ["x has 0 entries", "at least one"]),
    "labels of two columns": ({"x": X, "y": np.eye(20)}, ["y has type", "should be one whole number per image"]),
    "half a label": ({"x": X, "y": Y + 0.5}, ["y has type", "should be one whole number per image"]),
    "NaN for a label": ({"x": X, "y": np.where(Y, np.nan, 0)}, ["y hold values that are not finite"]),
    "an infinite label": ({"x": X, "y": np.where(Y, np.inf, 0)}, ["y hold values that are not finite"]),
    "no class": ({"x": X, "y": np.where(Y, 1e300, 0)}, ["y hold 1e+300", "labels should be at most"]),
    "parts of different scales": (
        {"x_train": X, "y_train": Y, "x_test": X / 255, "y_test": Y},
        ["x_train are whole numbers 0..255, x_test real numbers 0..1"],
    ),
    "text": ({"x": X, "y": Y.astype(str)}, ["y has type", "should be an array of numbers"]),
    "objects": ({"x": X, "y": np.array([{}] * 20)}, ["cannot be read"]),
    "another shape": ({"x": X[..., :4], "y": Y}, ["data.image_shape=[3, 4, 5]", "[3, 4, 4]"]),
}


@pytest.mark.parametrize("kind", WRONG)
def test_what_is_wrong_is_named(tmp_path, kind):
    arrays, words = WRONG[kind]
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, **arrays)
    for word in words:
        assert word in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 broken", b"not an archive"])
def test_a_damaged_file(tmp_path, content):
    (tmp_path / "mine.npz").write_bytes(content)
    with pytest.raises(ConfigError, match=r"mine.npz: is not an npz file, or is damaged"):
        npz(str(tmp_path / "mine.npz"), [3, 4, 5], 4, 0)


def test_members_that_are_no_arrays_of_this_world(tmp_path):
    """Text in place of an array, and an array of 600 TB by its head."""
    head = (
        np.lib.format.magic(1, 0)
        + b"\x76\x00"
        + repr({"descr": "<f8", "fortran_order": False, "shape": (10**13, 8)}).encode().ljust(117)
        + b"\n"
    )
    for content, said in ((b"text", "y is not an array"), (head, "cannot be read")):
        np.savez(tmp_path / "mine.npz", x=X)
        with zipfile.ZipFile(tmp_path / "mine.npz", "a") as file:
            file.writestr("y.npy", content)
        with pytest.raises(ConfigError, match=f"mine.npz: {said}"):
            npz(str(tmp_path / "mine.npz"), [3, 4, 5], 4, 0)


def test_a_truncated_file(tmp_path):
    x, y = some(200)
    np.savez_compressed(tmp_path / "mine.npz", x=x, y=y)
    whole = (tmp_path / "mine.npz").read_bytes()
    for end in (len(whole) // 2, len(whole) - 30):
        (tmp_path / "mine.npz").write_bytes(whole[:end])
        with pytest.raises(ConfigError, match=r"mine.npz: is not an npz file, or is damaged"):
            npz(str(tmp_path / "mine.npz"), [3, 4, 5], 4, 0)


@pytest.mark.parametrize(("labels", "words"), [(Y + 1, "data.classes=2: there are labels up to 2"), (Y - 1, "y hold -1")])
def test_labels_out_of_range(call, tmp_path, labels, words):
    file = tmp_path.parent / f"{tmp_path.name}.npz"
    np.savez(file, x=X, y=labels)
    own = (
        "data=npz",
        f"data.source.file={file}",
        "data.image_shape=[3,4,5]",
        "data.classes=2",
        "probes.consistency.max_shift=1",
    )
    done = call("train", *SMALL, *own, "model.kernel_size=3")
    assert done.code == 2
    assert words in done.err
    assert done.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_class_without_training_images(call, tmp_path):
    file = tmp_path.parent / f"{tmp_path.name}.npz"
    np.savez(file, x_train=X, y_train=Y, x_test=X, y_test=np.arange(20) % 3)
    own = ("data=npz", f"data.source.file={file}", "data.image_shape=[3,4,5]", "data.classes=3", "probes=none")
    done = call("train", "trainer=cpu", *own, "model.kernel_size=3")
    assert done.code == 2
    assert "there are test images of class 2, and no training images" in done.err
    assert done.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_run(call, tmp_path):
    np.savez(tmp_path / "mine.npz", x=np.tile(X, (5, 1, 1, 1)), y=np.tile(Y, 5))
    own = (
        "data=npz",
        "data.source.file=mine.npz",
        "data.image_shape=[3,4,5]",
        "data.classes=2",
        "probes.consistency.max_shift=1",
    )
    done = call("train", *SMALL, *own, "model.kernel_size=3", "hydra.run.dir=run")
    assert done.code == 0, done.err
    assert read(tmp_path / "run")["data"]["test"] == 20
    assert read(tmp_path / "run")["data"]["pixel_scale"] == 1
