"""torchvision's data sets from small files in their publishers' formats."""

import gzip
import hashlib
import io
import pickle
import struct
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
import torch
import torchvision
from scipy.io import savemat

from convexp.config.compose import compose_config
from convexp.data.emnist import emnist
from convexp.data.svhn import svhn
from convexp.data.vision import vision
from convexp.errors import ConfigError
from convexp.execution import build

TRAIN, TEST = 200, 20  # two or more of each class to learn from


def pictures(n, *shape):
    """Images (n, ...) as they should come out; no two rows, columns, channels or images are alike."""
    return np.random.default_rng(n).integers(0, 256, (n, *shape), dtype=np.uint8)


def md5(file):
    return hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest()


def write_idx(file, array):
    """Magic number (0, 0, 8 for uint8, dimensions), sizes as big-endian int32, bytes in C order."""
    file.parent.mkdir(parents=True, exist_ok=True)
    header = struct.pack(f">4B{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    file.write_bytes(header + array.astype(np.uint8).tobytes())


@dataclass
class Written:
    """A small data set: how to read it, the upright images (N, C, H, W) and labels in its two parts, and its files."""

    read: object
    images: tuple
    labels: tuple
    files: list


def write_kmnist(root, monkeypatch):
    images = [pictures(n, 28, 28) for n in (TRAIN, TEST)]
    labels = [np.arange(n) % 10 for n in (TRAIN, TEST)]
    files = []
    for part, x, y in zip(("train", "t10k"), images, labels, strict=True):
        files += [root / f"KMNIST/raw/{part}-images-idx3-ubyte", root / f"KMNIST/raw/{part}-labels-idx1-ubyte"]
        write_idx(files[-2], x)
        write_idx(files[-1], y)
    return Written(lambda download=False: vision("KMNIST", str(root), download), [x[:, None] for x in images], labels, files)


def write_emnist(root, monkeypatch, split="balanced", classes=47, first=0):
    images = [pictures(n, 28, 28) for n in (TRAIN, TEST)]
    labels = [(np.arange(n) * 7) % classes for n in (TRAIN, TEST)]
    files = []
    for part, x, y in zip(("train", "test"), images, labels, strict=True):
        names = [f"EMNIST/raw/emnist-{split}-{part}-{kind}-ubyte" for kind in ("images-idx3", "labels-idx1")]
        files += [root / name for name in names]
        write_idx(files[-2], x.transpose(0, 2, 1))  # column by column, as NIST's MATLAB wrote them
        write_idx(files[-1], y + first)
    return Written(lambda download=False: emnist(split, str(root), download), [x[:, None] for x in images], labels, files)


def write_svhn(root, monkeypatch):
    images = [pictures(n, 3, 32, 32) for n in (TRAIN, TEST)]
    labels = [np.arange(n) % 10 for n in (TRAIN, TEST)]
    files = []
    root.mkdir(exist_ok=True)
    for part, x, y in zip(("train", "test"), images, labels, strict=True):
        files.append(root / f"{part}_32x32.mat")
        stored = np.where(y == 0, 10, y).astype(np.uint8)[:, None]  # (N, 1), 10 for the digit 0
        savemat(files[-1], {"X": x.transpose(2, 3, 1, 0), "y": stored}, do_compression=True)
    written = Written(lambda download=False: svhn(str(root), download), images, labels, files)
    accept(written, monkeypatch)
    return written


def write_cifar100(root, monkeypatch):
    images = [pictures(n, 3, 32, 32) for n in (TRAIN, TEST)]
    labels = [(np.arange(n) * 7) % 100 for n in (TRAIN, TEST)]
    (root / "cifar-100-python").mkdir(parents=True)
    files = [root / "cifar-100-python" / name for name in ("train", "test", "meta")]
    for file, x, y in zip(files, images, labels, strict=False):
        coarse = [int(label) // 5 for label in y]
        entry = {"data": x.reshape(len(x), -1), "fine_labels": y.tolist(), "coarse_labels": coarse, "batch_label": "part 1"}
        file.write_bytes(pickle.dumps(entry, protocol=2))
    names = [f"thing {i}" for i in range(100)]
    files[2].write_bytes(pickle.dumps({"fine_label_names": names, "coarse_label_names": names[:20]}, protocol=2))
    written = Written(lambda download=False: vision("CIFAR100", str(root), download), images, labels, files)
    accept(written, monkeypatch)
    return written


def accept(written, monkeypatch):
    """Have torchvision take the MD5 of the files, as they are now, for the publisher's."""
    sums = {file.name: md5(file) for file in written.files}
    kinds = torchvision.datasets
    if "meta" in sums:
        monkeypatch.setattr(kinds.CIFAR100, "train_list", [["train", sums["train"]]])
        monkeypatch.setattr(kinds.CIFAR100, "test_list", [["test", sums["test"]]])
        monkeypatch.setattr(kinds.CIFAR100, "meta", {**kinds.CIFAR100.meta, "md5": sums["meta"]})
    elif "train_32x32.mat" in sums:
        listed = {part: [url, name, sums.get(name)] for part, (url, name, _) in kinds.SVHN.split_list.items()}
        monkeypatch.setattr(kinds.SVHN, "split_list", listed)


WRITERS = {"kmnist": write_kmnist, "emnist": write_emnist, "svhn": write_svhn, "cifar100": write_cifar100}
each = pytest.mark.parametrize("name", WRITERS)


@pytest.fixture
def root(tmp_path):
    """Where the files go; its name has no word that a message is looked through for."""
    (tmp_path / "d").mkdir()
    return tmp_path / "d"


@pytest.fixture
def no_network(monkeypatch):
    def unreachable(*arguments, **settings):
        raise URLError("no\nnetwork")

    monkeypatch.setattr(urllib.request, "urlopen", unreachable)


def complaint(read, root, **settings):
    """The one line that ``read`` ends with, without the name of the folder."""
    with pytest.raises(ConfigError) as caught:
        read(**settings)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 500
    start = f"data.source.root={root}: "
    assert message.startswith(start)
    return message.removeprefix(start)


@each
def test_every_pixel_and_label_is_where_it_was_written(root, monkeypatch, name):
    written = WRITERS[name](root, monkeypatch)
    source = written.read()
    for images, expected in zip((source.train_images, source.test_images), written.images, strict=True):
        assert images.dtype == torch.uint8
        assert images.is_contiguous()
        assert np.array_equal(images.numpy(), expected)
    for labels, expected in zip((source.train_labels, source.test_labels), written.labels, strict=True):
        assert labels.dtype == torch.int64
        assert labels.tolist() == expected.tolist()


def test_emnist_is_turned_over_chunks_of_any_size(root, monkeypatch):
    monkeypatch.setattr("convexp.data.emnist.CHUNK", 7)
    written = write_emnist(root, monkeypatch)
    assert np.array_equal(written.read().train_images.numpy(), written.images[0])


@pytest.mark.data
def test_emnist_stands_as_mnist_does(root, data_dir):
    upright = vision("MNIST", str(data_dir), download=False)
    for part, images, labels in (
        ("train", upright.train_images, upright.train_labels),
        ("test", upright.test_images, upright.test_labels),
    ):
        write_idx(root / f"EMNIST/raw/emnist-mnist-{part}-images-idx3-ubyte", images[:, 0].mT.numpy())
        write_idx(root / f"EMNIST/raw/emnist-mnist-{part}-labels-idx1-ubyte", labels.numpy())
    assert emnist("mnist", str(root), download=False).checksum() == upright.checksum()


@pytest.mark.parametrize(
    ("split", "classes"), {"byclass": 62, "bymerge": 47, "balanced": 47, "letters": 26, "digits": 10, "mnist": 10}.items()
)
def test_labels_of_every_emnist_split_count_from_0(root, monkeypatch, split, classes):
    written = write_emnist(root, monkeypatch, split, classes, first=1 if split == "letters" else 0)
    assert len(set(torchvision.datasets.EMNIST.classes_split_dict[split]) - {"N/A"}) == classes
    source = written.read()
    assert source.class_names is not None
    assert len(source.class_names) == classes
    assert all(len(name) == 1 for name in source.class_names)  # a digit or a letter
    assert source.train_labels.tolist() == written.labels[0].tolist()
    assert source.test_labels.tolist() == written.labels[1].tolist()
    assert np.array_equal(source.test_images.numpy(), written.images[1])


@pytest.mark.parametrize("split", ["lettres", "train", "", None, 3])
def test_wrong_split(root, split):
    with pytest.raises(ConfigError) as caught:
        emnist(split, str(root), download=False)
    splits = "byclass, bymerge, balanced, letters, digits, mnist"
    assert str(caught.value) == f"data.source.split={split}: should be one of {splits}"


@pytest.mark.parametrize("dataset", ["Kmnist", "mnist", "EMNIST", "SVHN", "FakeData"])
def test_data_sets_that_are_made_otherwise(root, dataset):
    with pytest.raises(ConfigError, match=f"^data.source.dataset={dataset}: .*$"):
        vision(dataset, str(root), download=False)


@each
def test_missing_files(root, monkeypatch, name, no_network):
    written = WRITERS[name](root, monkeypatch)
    written.files[1].unlink()
    assert "missing" in complaint(written.read, root)
    message = complaint(written.read, root, download=True)
    assert "missing" in message
    assert "no network" in message


@each
def test_nothing_there(root, monkeypatch, name, no_network):
    written = WRITERS[name](root / "elsewhere", monkeypatch)
    (root / "elsewhere").rename(root.parent / "gone")
    assert "missing" in complaint(written.read, root / "elsewhere")
    assert not (root / "elsewhere").exists()
    assert "could not be downloaded" in complaint(written.read, root / "elsewhere", download=True)
    assert [entry for entry in root.rglob("*") if entry.is_file()] == []


DAMAGE = {
    "empty": lambda stored: b"",
    "header cut": lambda stored: stored[:3],
    "nothing but a header": lambda stored: stored[:16],
    "second half cut": lambda stored: stored[: len(stored) // 2],
    "last byte cut": lambda stored: stored[:-1],
    "longer": lambda stored: stored + b"x",
    "other bytes": lambda stored: b"\n\xff" * (len(stored) // 2),
    "another type": lambda stored: stored[:2] + b"\x0a" + stored[3:],
}
SUMMED = ("svhn", "cifar100")  # torchvision has the MD5 of the very files that it reads


@pytest.mark.parametrize("damage", DAMAGE)
@each
def test_damaged_file(root, monkeypatch, name, damage, no_network):
    written = WRITERS[name](root, monkeypatch)
    for file in written.files:
        stored = file.read_bytes()
        file.write_bytes(DAMAGE[damage](stored))
        for download in (False, True):
            message = complaint(written.read, root, download=download)
            assert "damaged" in message
            assert ("missing" in message) == (name in SUMMED)
        file.write_bytes(stored)
    written.read()


@pytest.mark.parametrize("damage", ["empty", "header cut", "second half cut", "last byte cut", "other bytes"])
@pytest.mark.parametrize("name", SUMMED)
def test_damaged_file_with_the_right_checksum(root, monkeypatch, name, damage):
    written = WRITERS[name](root, monkeypatch)
    for file in written.files:
        stored = file.read_bytes()
        file.write_bytes(DAMAGE[damage](stored))
        accept(written, monkeypatch)
        assert "damaged" in complaint(written.read, root)
        file.write_bytes(stored)


@pytest.mark.parametrize(
    "content", [b"cos\nsystem\n(S'touch pwned'\ntR.", pickle.dumps({"other": 1}), b"cno_such_module\nname\n."], ids=range(3)
)
def test_a_pickle_of_another_kind(root, monkeypatch, content):
    monkeypatch.chdir(root)
    written = write_cifar100(root, monkeypatch)
    written.files[0].write_bytes(content)
    assert "missing" in complaint(written.read, root)
    assert not Path("pwned").exists()
    if b"system" not in content:  # with the right checksum it would be loaded
        accept(written, monkeypatch)
        assert "damaged" in complaint(written.read, root)


def test_as_many_labels_as_images(root, monkeypatch):
    written = write_kmnist(root, monkeypatch)
    write_idx(written.files[1], written.labels[0][:-1])
    assert f"labels [{TRAIN - 1}]" in complaint(written.read, root)


def test_a_file_that_may_not_be_read_is_not_called_damaged(root, monkeypatch):
    written = write_kmnist(root, monkeypatch)

    def locked(*arguments):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(torchvision.datasets.mnist, "read_image_file", locked)
    message = complaint(written.read, root)
    assert "Permission denied" in message
    assert "delete" not in message


class Server:
    """Stands for urlopen: hands out files, by name; of those named in ``broken`` only the first half."""

    def __init__(self, files, broken=()):
        self.files, self.broken = files, broken

    def __call__(self, request):
        url = request.full_url
        name = url.rsplit("/", 1)[-1]
        content = self.files[name]
        return Response(url, content[: len(content) // 2] if name in self.broken else content, name in self.broken)


class Response(io.BytesIO):
    def __init__(self, url, content, breaks):
        super().__init__(content)
        self.url, self.length, self.breaks = url, None, breaks

    def read(self, *size):
        chunk = super().read(*size)
        if self.breaks and not chunk:
            raise ConnectionResetError("connection reset")
        return chunk


def archives(written, monkeypatch, name):
    """What the publisher's server has, by name; the MD5s of archives are made to fit."""
    files = {file.name: file.read_bytes() for file in written.files}
    if name == "svhn":
        return files
    packed = {f"{name}.gz": gzip.compress(content) for name, content in files.items()}
    sums = [(name, hashlib.md5(content, usedforsecurity=False).hexdigest()) for name, content in packed.items()]
    monkeypatch.setattr(torchvision.datasets.KMNIST, "resources", sums)
    return packed


@pytest.mark.parametrize("name", ["kmnist", "svhn"])
def test_a_download_that_breaks_off_is_not_read_and_can_be_repeated(root, monkeypatch, name):
    written = WRITERS[name](root, monkeypatch)
    files = archives(written, monkeypatch, name)
    for file in written.files:
        file.unlink()
    for broken in files:
        monkeypatch.setattr(urllib.request, "urlopen", Server(files, broken=[broken]))
        assert "could not be downloaded" in complaint(written.read, root, download=True)
        assert "missing" in complaint(written.read, root)
    monkeypatch.setattr(urllib.request, "urlopen", Server(files))
    source = written.read(download=True)
    assert np.array_equal(source.train_images.numpy(), written.images[0])
    assert written.read().checksum() == source.checksum()


@pytest.mark.parametrize(
    ("name", "shape", "classes"),
    [("kmnist", [1, 28, 28], 10), ("emnist", [1, 28, 28], 47), ("svhn", [3, 32, 32], 10), ("cifar100", [3, 32, 32], 100)],
)
def test_configuration_reads_it(root, monkeypatch, name, shape, classes):
    monkeypatch.setenv("CONVEXP_DATA", str(root))
    written = WRITERS[name](root, monkeypatch)
    config = compose_config(f"data={name}", "data.val_size=0.5", "data.source.download=false")
    assert config.data.name == name
    assert config.data.image_shape == shape
    assert config.data.classes == classes
    data = build.dataset(config)
    assert list(data.test.images.shape) == [TEST, *shape]
    assert data.test.labels.tolist() == written.labels[1].tolist()
    if data.class_names is not None:
        assert data.class_name(0) == {"kmnist": "o", "emnist": "0", "cifar100": "thing 0"}.get(name)
        assert data.class_name(classes) == str(classes)


@each
def test_mistakes_reach_the_command_line_as_one_line(call, root, monkeypatch, name):
    written = WRITERS[name](root, monkeypatch)
    written.files[0].write_bytes(b"")
    done = call("train", f"data={name}", f"data.source.root={root}", "data.source.download=false")
    assert done.code == 2
    assert done.err.count("\n") == 1, done.err
    assert "damaged" in done.err
