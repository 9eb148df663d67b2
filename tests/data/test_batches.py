import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from convexp.data.batches import EpochSampler, Images, loader
from convexp.data.dataset import statistics

few = settings(deadline=None, max_examples=40)
seeds = st.integers(0, 2**31)
epochs = st.integers(0, 1000)


def order(length: int, seed: int, epoch: int = 0) -> list[int]:
    sampler = EpochSampler(length, seed)
    sampler.set_epoch(epoch)
    return list(sampler)


def numbered(n: int) -> Images:
    """Images that know their index."""
    return Images(torch.arange(n, dtype=torch.uint8).view(n, 1, 1, 1).expand(n, 1, 2, 2), torch.arange(n) * 3)


@few
@given(st.integers(0, 60), seeds, epochs)
def test_an_epoch_is_a_permutation(length, seed, epoch):
    assert sorted(order(length, seed, epoch)) == list(range(length))
    assert len(EpochSampler(length, seed)) == length


@few
@given(seeds, epochs, epochs)
def test_the_order_is_a_function_of_seed_and_epoch(seed, epoch, before):
    sampler = EpochSampler(50, seed)
    sampler.set_epoch(before)
    list(sampler)
    torch.rand(1)
    sampler.set_epoch(epoch)
    assert list(sampler) == order(50, seed, epoch)


@few
@given(seeds, st.lists(epochs, min_size=2, max_size=5, unique=True))
def test_epochs_differ(seed, several):
    assert len({tuple(order(50, seed, epoch)) for epoch in several}) == len(several)


@few
@given(st.lists(seeds, min_size=2, max_size=5, unique=True), epochs)
def test_seeds_differ(several, epoch):
    assert len({tuple(order(50, seed, epoch)) for seed in several}) == len(several)


@few
@given(st.integers(1, 40), st.integers(1, 50))
def test_loader_without_shuffling_yields_all_in_order(n, size):
    data = numbered(n)
    batches = list(loader(data, size))
    assert len(batches) == math.ceil(n / size)
    assert torch.equal(torch.cat([images for images, _ in batches]), data.images)
    assert torch.equal(torch.cat([labels for _, labels in batches]), data.labels)
    assert all(len(labels) == size for _, labels in batches[:-1])


@few
@given(st.integers(1, 40), st.integers(1, 50), seeds)
def test_loader_with_shuffling_drops_the_incomplete_last_batch(n, size, seed):
    data = numbered(n)
    batches = list(loader(data, size, seed))
    whole = min(n, size)  # fewer images than a batch: one batch of all
    assert [len(labels) for _, labels in batches] == [whole] * (n // whole)
    seen = torch.cat([images[:, 0, 0, 0].long() for images, _ in batches])
    assert seen.tolist() == order(n, seed)[: len(seen)]
    assert torch.equal(torch.cat([labels for _, labels in batches]), seen * 3)


def test_loader_shuffles_anew_in_every_epoch():
    shuffled = loader(numbered(32), 8, shuffle_seed=0)
    for epoch in range(3):
        shuffled.sampler.set_epoch(epoch)  # type: ignore[union-attr]
        assert torch.cat([labels for _, labels in shuffled]).div(3).tolist() == order(32, 0, epoch)


@pytest.mark.parametrize("indices", [[3, 1, 1], [0]])
def test_images_come_a_batch_at_a_time(indices):
    data = numbered(5)
    images, labels = data.__getitems__(indices)
    assert images.shape == (len(indices), 1, 2, 2)
    assert images[:, 0, 0, 0].tolist() == indices
    assert labels.tolist() == [3 * i for i in indices]
    assert len(data) == 5
    for i in indices:
        assert torch.equal(data[i][0], data.images[i])
        assert data[i][1] == 3 * i


@few
@given(st.integers(2, 20), st.integers(1, 3), st.lists(st.integers(1, 4), min_size=1, max_size=3), st.integers(0, 99))
def test_statistics_are_those_of_the_pixels(n, channels, size, seed):
    generator = torch.Generator().manual_seed(seed)
    images = torch.randint(0, 256, (n, channels, *size), dtype=torch.uint8, generator=generator)
    images[0, :, ..., 0], images[1, :, ..., 0] = 0, 255
    mean, std = statistics(images)
    pixels = images.double().transpose(0, 1).flatten(1) / 255
    torch.testing.assert_close(torch.tensor(mean, dtype=torch.float64), pixels.mean(1), rtol=0, atol=1e-12)
    torch.testing.assert_close(torch.tensor(std, dtype=torch.float64), pixels.std(1, correction=0), rtol=0, atol=1e-12)


def test_statistics_of_constant_images():
    mean, std = statistics(torch.full((3, 2, 4, 4), 51, dtype=torch.uint8))
    assert mean == pytest.approx([0.2, 0.2])
    assert std == [1 / 255, 1 / 255]
