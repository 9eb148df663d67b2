import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from convexp.data.canvas import zero_fill
from convexp.data.chunks import Chunks, suitable
from convexp.data.epochs import EpochSampler
from convexp.data.images import Images
from convexp.data.loaders import loader, training_loader
from convexp.data.rng import draw_offsets
from convexp.data.source import Source
from convexp.data.view import View
from convexp.errors import ConfigError
from convexp.geometry.placement import OneOf, Placement, Uniform
from convexp.machine.processes import ALONE, Place

few = settings(deadline=None, max_examples=40)
seeds = st.integers(0, 2**31)
epochs = st.integers(0, 1000)


def order(length: int, seed: int, epoch: int = 0) -> list[int]:
    sampler = EpochSampler(length, seed)
    sampler.set_epoch(epoch)
    return [item - epoch * length for item in sampler]


STILL = OneOf(((0, 0),))


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
    assert [item - 50 * epoch for item in sampler] == order(50, seed, epoch)


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
    batches = list(training_loader(data, size, STILL, seed))
    whole = min(n, size)  # fewer images than a batch: one batch of all
    assert [len(labels) for _, labels in batches] == [whole] * (n // whole)
    seen = torch.cat([images[:, 0, 0, 0].long() for images, _ in batches])
    assert seen.tolist() == order(n, seed)[: len(seen)]
    assert torch.equal(torch.cat([labels for _, labels in batches]), seen * 3)


def test_loader_shuffles_anew_in_every_epoch():
    shuffled = training_loader(numbered(32), 8, STILL, 0)
    for epoch in range(3):
        shuffled.sampler.set_epoch(epoch)  # type: ignore[union-attr]
        assert torch.cat([labels for _, labels in shuffled]).div(3).tolist() == order(32, 0, epoch)


def spots(n: int, shifts: OneOf | Uniform = STILL, position: OneOf | Uniform = STILL) -> Images:
    """n images of one white pixel, each at the corner of a canvas of 9 x 9."""
    placement = Placement((1, 1), (9, 9), (9, 9), position, "zero_fill", STILL, STILL, STILL)
    view = View(placement, draw_offsets(position, n, 5, "position"), draw_offsets(shifts, n, 5, "shift"))
    return Images(torch.full((n, 1, 1, 1), 255, dtype=torch.uint8), torch.arange(n), None, view)


def places(batches) -> dict[int, tuple[int, int]]:
    """Where the white pixel of each label is."""
    return {
        int(label): tuple(image[0].nonzero()[0].tolist())
        for images, labels in batches
        for image, label in zip(images, labels, strict=True)
    }


@few
@given(st.integers(1, 30), st.integers(1, 9), seeds, epochs)
def test_a_training_shift_is_a_function_of_seed_epoch_and_sample(n, size, seed, epoch):
    anywhere = Uniform((0, 0), (8, 8))

    def shown(size: int) -> dict[int, tuple[int, int]]:
        batches = training_loader(spots(n), size, anywhere, seed)
        batches.sampler.set_epoch(epoch)
        return places(batches)

    table = draw_offsets(anywhere, n, seed, epoch, "shift")
    seen = shown(size)
    assert all(place == tuple(table[label].tolist()) for label, place in seen.items())
    everything = shown(n)  # whatever the batches: one of all
    assert everything == shown(n)
    assert all(everything[label] == place for label, place in seen.items())


@few
@given(seeds)
def test_training_shifts_are_new_in_every_epoch_and_fixed_ones_are_not(seed):
    anywhere = Uniform((0, 0), (8, 8))
    training, fixed = training_loader(spots(40), 40, anywhere, seed), loader(spots(40, anywhere), 7)
    shown = []
    for epoch in range(3):
        training.sampler.set_epoch(epoch)
        shown.append(places(training))
        assert places(fixed) == places(loader(spots(40, anywhere), 40))
    assert shown[0] != shown[1] != shown[2] != shown[0]


def test_a_subset_is_shown_as_it_is_in_the_whole():
    """Tables are by row of the source: a smaller training set changes no sample of it."""
    whole = spots(40, position=Uniform((0, 0), (8, 8)))
    rows = torch.tensor([3, 17, 20])
    part = Images(whole.images, whole.labels, rows, whole.view)
    assert places([part.first(9)]) == {r: places([whole.first(40)])[r] for r in rows.tolist()}
    whole = spots(40)
    part = Images(whole.images, whole.labels, rows, whole.view)
    anywhere = Uniform((0, 0), (8, 8))
    in_part, in_whole = (places(training_loader(i, len(i), anywhere, 0)) for i in (part, whole))
    assert in_part == {r: in_whole[r] for r in rows.tolist()}


def test_one_of_a_list_draws_each():
    three = OneOf(((0, 0), (2, 5), (8, 1)))
    assert set(places([spots(60, position=three).first(60)]).values()) == set(three.offsets)


def test_uniform_draws_reach_both_ends_and_nothing_beyond():
    drawn = draw_offsets(Uniform((-1, 0), (1, 2)), 400, 0)
    assert drawn[:, 0].unique().tolist() == [-1, 0, 1]
    assert drawn[:, 1].unique().tolist() == [0, 1, 2]
    assert torch.equal(drawn, draw_offsets(Uniform((-1, 0), (1, 2)), 400, 0))
    assert not torch.equal(drawn, draw_offsets(Uniform((-1, 0), (1, 2)), 400, 1))


@few
@given(st.integers(1, 40), st.integers(1, 20), st.integers(1, 5), seeds, epochs)
def test_processes_share_every_batch(length, size, processes, seed, epoch):
    """Shares of nearly the same size, nothing twice, and together the batches of a single process."""
    anywhere, data = Uniform((0, 0), (3, 3)), spots(length)

    def batches(place):
        training = training_loader(data, size, anywhere, seed, place=place)
        training.sampler.set_epoch(epoch)
        return [list(made) for made in (training, loader(data, size, place))]

    shared = [batches(Place(rank, rank, 0, processes)) for rank in range(processes)]
    for kind, whole in enumerate(batches(ALONE)):
        assert {len(each[kind]) for each in shared} == {len(whole)}
        for batch, *shares in zip(whole, *(each[kind] for each in shared), strict=True):
            sizes = [len(labels) for _, labels in shares]
            assert max(sizes) - min(sizes) <= 1
            for rank, (images, labels) in enumerate(shares):
                assert torch.equal(images, batch[0][rank::processes])
                assert torch.equal(labels, batch[1][rank::processes])


@pytest.mark.e2e
@pytest.mark.parametrize("workers", [0, 1, 2])
def test_worker_processes_change_nothing(workers):
    anywhere = Uniform((0, 0), (8, 8))
    data = spots(50, position=OneOf(((0, 0), (1, 1))))
    data.workers = workers
    training = training_loader(data, 8, anywhere, 3)
    for epoch in range(2):
        training.sampler.set_epoch(epoch)
        table = draw_offsets(anywhere, 50, 3, epoch, "shift")
        expected = order(50, 3, epoch)[:48]
        batches = list(training)
        assert torch.cat([labels for _, labels in batches]).tolist() == expected
        for images, labels in batches:
            placed = spots(50, position=OneOf(((0, 0), (1, 1)))).batch(labels, data.view)[0]
            moved = [zero_fill(i[None], tuple(s)) for i, s in zip(placed, table[labels].tolist(), strict=True)]
            assert torch.equal(images, torch.cat(moved))


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
    mean, std = Source(images, torch.arange(n), images, torch.arange(n)).statistics(torch.arange(n))
    pixels = images.double().transpose(0, 1).flatten(1) / 255
    torch.testing.assert_close(torch.tensor(mean, dtype=torch.float64), pixels.mean(1), rtol=0, atol=1e-12)
    torch.testing.assert_close(torch.tensor(std, dtype=torch.float64), pixels.std(1, correction=0), rtol=0, atol=1e-12)


def test_statistics_are_those_of_the_rows_that_are_learned_from():
    images = torch.arange(10, dtype=torch.uint8).view(10, 1, 1, 1).expand(10, 1, 4, 4)
    source = Source(images, torch.arange(10), images, torch.arange(10))
    mean, std = source.statistics(torch.tensor([2, 4, 9]))
    assert mean == pytest.approx([5 / 255])
    assert std == pytest.approx([(26 / 3) ** 0.5 / 255])


def test_statistics_of_constant_images():
    images = torch.full((3, 2, 4, 4), 51, dtype=torch.uint8)
    constant = Source(images, torch.arange(3), images, torch.arange(3))
    mean, std = constant.statistics(torch.arange(3))
    assert mean == pytest.approx([0.2, 0.2])
    assert std == [1 / 255, 1 / 255]


@few
@given(
    st.sampled_from(["zero_fill", "circular", "crop"]),
    st.tuples(st.integers(-3, 3), st.integers(-3, 3)),
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=8),
)
def test_a_box_is_where_its_pixels_are_seen(protocol, shift, corners):
    """A bright square of 2 pixels on a canvas: its box holds it, or is -1 where it is not seen as a whole."""
    images = torch.zeros(len(corners), 1, 6, 6, dtype=torch.uint8)
    for image, (row, column) in zip(images, corners, strict=True):
        image[0, row : row + 2, column : column + 2] = 255
    boxes = torch.tensor([[[r, c], [r + 2, c + 2]] for r, c in corners])
    boxes = torch.cat((boxes, torch.full((1, 2, 2), -1)))  # and an image without one
    images = torch.cat((images, torch.zeros_like(images[:1])))
    still = OneOf(((0, 0),))
    seen = (8, 8) if protocol == "crop" else (9, 9)
    placement = Placement((6, 6), (9, 9) if protocol != "crop" else (14, 14), seen, still, protocol, still, still, still)
    view = View(placement, (1, 2), shift)
    shown, found = view(images, torch.arange(len(images))), view.boxes(boxes)
    assert (found[-1] == -1).all()
    for image, box in zip(shown[:-1], found[:-1], strict=True):
        (top, left), (bottom, right) = box.tolist()
        if top < 0:
            bright = (image[0] > 0).nonzero()  # cut off, or split between two sides
            whole = len(bright) == 4 and (bright.amax(0) - bright.amin(0) == 1).all()
            assert not whole
        else:
            assert (bottom - top, right - left) == (2, 2)
            assert (image[0, top:bottom, left:right] == 255).all()


def test_the_larger_canvas_of_a_window():
    still = OneOf(((0, 0),))
    images = torch.randint(0, 256, (5, 1, 6, 6), dtype=torch.uint8)
    cropped = Placement((6, 6), (10, 10), (4, 4), still, "crop", still, still, still)
    data = Images(images, torch.arange(5), torch.tensor([3, 1, 0]), View(cropped, (2, 2), (1, -1)))
    larger = data.first_on_canvas(2)
    assert larger is not None
    assert torch.equal(larger[:, :, 3:9, 1:7], images[[3, 1]])  # moved down 1 and left 1, as they are seen
    assert larger.shape == (2, 1, 10, 10)
    assert torch.equal(larger[:, :, 3:7, 3:7], data.first(2)[0])  # its middle
    whole = Placement((6, 6), (6, 6), (6, 6), still, "zero_fill", still, still, still)
    assert Images(images, torch.arange(5), None, View(whole, (0, 0), (1, 1))).first_on_canvas(2) is None
    assert Images(images, torch.arange(5)).first_on_canvas(2) is None


IMAGES, LABELS = torch.zeros(20, 1, 8, 8, dtype=torch.uint8), torch.arange(20) % 10
WRONG = [
    ({"test_images": IMAGES[:0], "test_labels": LABELS[:0]}, "no test images"),
    ({"train_images": IMAGES[:0], "train_labels": LABELS[:0]}, "no training images"),
    (
        {"train_images": IMAGES / 255},
        "train_images are of torch.float32; should be a tensor of torch.uint8: pixels are 0 to 255",
    ),
    ({"test_images": IMAGES.numpy()}, "test_images are a numpy.ndarray; should be a tensor of torch.uint8"),
    ({"train_labels": LABELS.to(torch.uint8)}, "train_labels are of torch.uint8; should be a tensor of torch.int64"),
    ({"test_labels": LABELS.float()}, "test_labels are of torch.float32; should be a tensor of torch.int64"),
    ({"train_labels": LABELS[:-1]}, r"train_labels have shape \[19\]; should be \[20\], one for each image"),
    ({"test_labels": LABELS[:, None]}, r"test_labels have shape \[20, 1\]; should be \[20\]"),
    ({"test_images": IMAGES[:, :, 1:]}, r"data.image_shape=\[1, 8, 8\]: the images have shape \[1, 7, 8\]"),
    ({"class_names": ("a", "b")}, "data.classes=10: there are 2 class_names; should be one for each class"),
]


@pytest.mark.parametrize(("changes", "said"), WRONG, ids=[said[:30] for _, said in WRONG])
def test_what_a_source_may_not_have_is_named(changes, said):
    from convexp.config.compose import compose_config
    from convexp.data import prepare

    settings = compose_config("data=digits").data
    with pytest.raises(ConfigError, match=said):
        prepare(settings, replace(Source(IMAGES, LABELS, IMAGES, LABELS), **changes))


@few
@given(st.data(), st.integers(1, 40), st.integers(1, 9), seeds, st.integers(0, 3))
def test_chunks_are_the_batches_of_the_loader_however_they_are_cut(data, length, size, seed, epoch):
    """Also in a resumed epoch, with shifts, and if only a part of a chunk was trained on."""
    images, shifts = spots(length), Uniform((0, 0), (3, 3))
    first = (epoch, data.draw(st.integers(0, max(0, length // size - 1))))
    single = training_loader(images, size, shifts, seed, first)
    several = training_loader(images, size, shifts, seed, first, ahead=lambda: data.draw(st.integers(1, 5)))
    assert isinstance(several, Chunks)
    assert len(several) == len(single)
    for number in (epoch, epoch + 1):
        single.sampler.set_epoch(number)
        several.sampler.set_epoch(number)
        found = []
        for chunk in several:
            chunk.done = data.draw(st.integers(1, len(chunk.batches)))
            found += chunk.batches[: chunk.done]
        for (pixels, labels), (others, theirs) in zip(found, single, strict=True):
            assert torch.equal(pixels, others)
            assert torch.equal(labels, theirs)


def test_a_chunk_is_small_where_a_batch_takes_long_or_is_large():
    batch = torch.zeros(1, 2**20, dtype=torch.uint8), torch.zeros(1)
    assert suitable(batch, seconds=1e-4) == 16  # MiB of images
    assert suitable((batch[0][:, :1], batch[1]), seconds=1e-4) == 64
    assert suitable(batch, seconds=0.05) == 4
    assert suitable(batch, seconds=9.0) == 1
    assert suitable((batch[0].expand(8, -1), batch[1]), seconds=1e-4) == 2
