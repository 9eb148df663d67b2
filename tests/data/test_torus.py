"""Images on a torus: averaged over blocks, and each moved anywhere, once."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from nets import few

from convexp.data import torus as module
from convexp.data.source import Source
from convexp.data.torus import average_blocks, torus
from convexp.errors import ConfigError


@few
@given(st.integers(1, 3), st.integers(1, 4), st.integers(1, 4), st.integers(1, 2), st.integers(0, 9))
def test_a_pixel_is_the_rounded_mean_of_its_block(block, height, width, channels, seed):
    size = (5, channels, height * block, width * block)
    images = torch.randint(0, 256, size, dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))
    found = average_blocks(images, block)
    means = torch.nn.functional.avg_pool2d(images.double(), block)
    assert found.dtype == torch.uint8
    assert float((found.double() - means).abs().max()) <= 0.5
    assert torch.equal(average_blocks(images, 1), images)


@pytest.fixture
def read(monkeypatch):
    """Reads a data set whose images have one bright block of 2x2 pixels, of 8x6."""
    images = torch.zeros(600, 1, 8, 6, dtype=torch.uint8)
    images[:, :, 2:4, 4:6] = 200
    labels = torch.arange(600) % 10
    monkeypatch.setattr(module, "vision", lambda *_: Source(images, labels, images[:300], labels[:300]))
    return lambda block=2, seed=0: torus("MNIST", "nowhere", False, block, seed)


def test_each_image_is_moved_anywhere_by_a_shift_of_its_own_which_the_seed_alone_decides(read):
    source = read()
    for images in (source.train_images, source.test_images):
        assert images.shape[1:] == (1, 4, 3)
        assert (images.flatten(1).sort(1).values == torch.tensor([0] * 11 + [200])).all()  # nothing is lost
        at, counts = images.flatten(1).argmax(1).unique(return_counts=True)
        assert at.tolist() == list(range(12))
        assert float(counts.min()) > 0.5 * len(images) / 12
    assert not torch.equal(source.train_images[:300], source.test_images)
    assert torch.equal(read().train_images, source.train_images)
    assert not torch.equal(read(seed=1).train_images, source.train_images)


@pytest.mark.parametrize("block", [0, -2, 3, 4, 8])
def test_blocks_that_do_not_fill_the_images_are_refused(read, block):
    with pytest.raises(ConfigError, match=rf"^data.source.block={block}: should divide the 8x6 pixels of the images$"):
        read(block=block)
