"""The real data sets are what their publishers say."""

import pytest
import torch
from conftest import SMALL, read
from sklearn.datasets import load_digits

from convexp.data.digits import digits
from convexp.data.source import Source
from convexp.data.vision import vision

pytestmark = pytest.mark.integration

# shape of an image, training and test images, mean and deviation of the training pixels / 255 over all channels, first labels
FACTS = {
    "MNIST": ((1, 28, 28), 60000, 10000, 0.1307, 0.3081, [5, 0, 4, 1, 9]),
    "FashionMNIST": ((1, 28, 28), 60000, 10000, 0.2860, 0.3530, [9, 0, 0, 3, 0]),
    "CIFAR10": ((3, 32, 32), 50000, 10000, 0.4734, 0.2516, [6, 9, 9, 4, 1]),
}


@pytest.mark.data
@pytest.mark.parametrize("name", FACTS)
def test_published_facts(data_dir, name):
    shape, train, test, mean, std, labels = FACTS[name]
    source = vision(name, str(data_dir), download=False)
    assert source.train_images.dtype == torch.uint8
    assert tuple(source.train_images.shape) == (train, *shape)
    assert tuple(source.test_images.shape) == (test, *shape)
    pixels = source.train_images.double() / 255
    assert float(pixels.mean()) == pytest.approx(mean, abs=1e-4)
    assert float(pixels.std()) == pytest.approx(std, abs=1e-4)
    assert source.train_labels[:5].tolist() == labels
    assert torch.bincount(source.test_labels).sum() == test


@pytest.mark.data
def test_colour_planes_are_not_mixed_up(data_dir):
    import torchvision

    ours = vision("CIFAR10", str(data_dir), download=False)
    theirs = torchvision.datasets.CIFAR10(data_dir, train=True)
    image, label = theirs[7]
    assert torch.equal(ours.train_images[7], torchvision.transforms.functional.pil_to_tensor(image))
    assert ours.train_labels[7] == label


@pytest.mark.data
@pytest.mark.parametrize("data", ["mnist", "fashion_mnist", "cifar10"])
def test_a_run_on_each(call, tmp_path, data_dir, data):
    small = ("trainer.max_epochs=1", "trainer.overfit_batches=5", "probes.shift_map.max_images=20", "data.batch_size=16")
    done = call("train", *SMALL, *small, f"data={data}", f"data.source.root={data_dir}", "hydra.run.dir=run")
    assert done.code == 0, done.err
    result = read(tmp_path / "run")
    assert result["data"]["test"] == 10000
    assert result["probes"]["shift_map"]["numbers"]["n"] == 20


def test_digits_are_scikit_learns():
    source, bunch = digits(360, 0), load_digits()
    assert len(source.train_images) == 1437
    images = torch.cat([source.train_images, source.test_images])
    assert int(images.max()) == 255
    back = (images.double() * 16 / 255).round()
    ours = sorted(map(tuple, back.flatten(1).tolist()))
    assert ours == sorted(map(tuple, bunch.data.tolist()))
    assert torch.bincount(torch.cat([source.train_labels, source.test_labels])).tolist() == [
        int((bunch.target == c).sum()) for c in range(10)
    ]


def test_checksum_sees_every_pixel_and_label():
    def source(pixel=0, label=0):
        images, labels = torch.zeros(2, 1, 2, 2, dtype=torch.uint8), torch.zeros(2, dtype=torch.int64)
        images[1, 0, 1, 1], labels[0] = pixel, label
        return Source(images, labels, images.clone(), labels.clone())

    assert source().checksum() == source().checksum()
    assert len({source().checksum(), source(pixel=1).checksum(), source(label=1).checksum()}) == 3
