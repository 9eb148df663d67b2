"""Laws of augmentations: pure functions of seed, epoch and sample, each image by itself; and what each of them does."""

from collections.abc import Callable, Mapping

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from nets import few
from torch import Tensor
from torch.nn import functional as F
from torchvision.transforms import v2

from convexp.data.augment import Augmentation, Augmenter, Draws
from convexp.data.augment.crop import Crop
from convexp.data.augment.cutout import Cutout
from convexp.data.augment.draws import Tables
from convexp.data.augment.flip import Flip
from convexp.data.augment.mixup import Mixup, mix, probabilities
from convexp.data.augment.per_image import pad
from convexp.data.augment.rand_augment import OPERATIONS, RandAugment
from convexp.data.augment.rotate import Rotate, rotate
from convexp.data.epochs import Epochs
from convexp.data.images import Images
from convexp.data.loaders import training_loader
from convexp.errors import ConfigError
from convexp.geometry.placement import OneOf

N, K = 23, 5
STILL = OneOf(((0, 0),))
EACH: Mapping[str, Augmentation] = {
    "flip": Flip(),
    "vertical": Flip(axis="vertical"),
    "crop": Crop(padding=2),
    "reflected": Crop(padding=2, padding_mode="reflect"),
    "cutout": Cutout(size=4, fill=7),
    "rotate": Rotate(40.0),
    "rand_augment": RandAugment(operations=3, magnitude=20),
    "mixup": Mixup(alpha=1.0),
}
ALL = {"flip": EACH["flip"], "crop": EACH["crop"], "mixup": EACH["mixup"], "cutout": EACH["cutout"]}
SIGNALS = {name: EACH[name] for name in ("flip", "crop", "reflected", "cutout", "mixup")}


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randint(256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))


def images_of(*size: int, rows: Tensor | None = None) -> Images:
    return Images(noise(N, 3, *size), torch.arange(N) % K, rows)


def epochs_of(steps: Mapping[str, Augmentation], images: Images, seed: int = 3) -> Epochs:
    return Epochs(images, STILL, seed, Augmenter(steps, K))


def draws(n: int, name: str = "x", seed: int = 0, epoch: int = 0) -> Draws:
    return Draws(Tables(n, seed, torch.device("cpu")), epoch, name, torch.arange(n), K, n, lambda at: (at, at))


@pytest.mark.parametrize("steps", [*({name: step} for name, step in EACH.items()), ALL], ids=[*EACH, "all"])
@few
@given(data=st.data(), epoch=st.integers(0, 4))
def test_the_result_of_a_sample_depends_on_no_batch_and_no_order(steps, data, epoch):
    images = images_of(9, 8)
    whole, labels = epochs_of(steps, images).__getitems__([epoch * N + i for i in range(N)])
    order = data.draw(st.lists(st.integers(0, N - 1), min_size=1, max_size=9))
    later = epochs_of(steps, images)  # as in a resumed run, or in another worker
    if data.draw(st.booleans()):
        later.__getitems__([(epoch + 1) * N])  # what was drawn before does not matter
    part, part_labels = later.__getitems__([epoch * N + i for i in order])
    assert torch.equal(part, whole[order])
    assert torch.equal(part_labels, labels[order])


@pytest.mark.parametrize("name", EACH)
def test_epochs_and_seeds_differ(name):
    images, steps = images_of(9, 8), {name: EACH[name]}
    first = epochs_of(steps, images).__getitems__([*range(N)])[0]
    assert not torch.equal(first, epochs_of(steps, images).__getitems__([N + i for i in range(N)])[0])
    assert not torch.equal(first, epochs_of(steps, images, seed=4).__getitems__([*range(N)])[0])
    assert not torch.equal(first, images.first(N)[0])
    assert torch.equal(images.images, images_of(9, 8).images)  # the data are as they were


@pytest.mark.integration
def test_worker_processes_change_nothing():
    alone, images = images_of(9, 8), noise(N, 3, 9, 8)
    by_workers = Images(images, torch.arange(N) % K, workers=2)
    augmenter = Augmenter(ALL, K)
    first, second = (
        [batch for _ in range(2) for batch in training_loader(each, 5, STILL, 3, (1, 0), augmenter)]
        for each in (alone, by_workers)
    )
    for (a, labels), (b, other_labels) in zip(first, second, strict=True):
        assert torch.equal(a, b)
        assert torch.equal(labels, other_labels)


def test_a_sample_is_augmented_alike_in_a_smaller_training_set():
    rows = torch.tensor([3, 11, 20])
    part = epochs_of({"crop": EACH["crop"]}, images_of(9, 8, rows=rows)).__getitems__([0, 1, 2])[0]
    whole = epochs_of({"crop": EACH["crop"]}, images_of(9, 8)).__getitems__(rows.tolist())[0]
    assert torch.equal(part, whole)


def test_another_augmentation_changes_no_draws_of_the_first():
    alone = epochs_of({"flip": EACH["flip"]}, images_of(9, 8)).__getitems__([*range(N)])[0]
    both = epochs_of({"other": Cutout(1), "flip": EACH["flip"]}, images_of(9, 8)).__getitems__([*range(N)])[0]
    assert (both != alone).flatten(1).sum(1).le(3).all()  # one pixel of three channels


@pytest.mark.parametrize("name", SIGNALS)
def test_signals(name):
    images = Images(noise(N, 2, 12), torch.arange(N) % K)
    augmented, labels = epochs_of({name: SIGNALS[name]}, images).__getitems__([*range(N)])
    assert augmented.shape == (N, 2, 12)
    assert len(labels) == N
    assert not torch.equal(augmented, images.images)


@few
@given(seed=st.integers(0, 99), axis=st.sampled_from(["horizontal", "vertical"]), probability=st.floats(0, 1))
def test_flipping_twice_is_the_identity_and_each_image_is_mirrored_or_not(seed, axis, probability):
    images, flip = noise(N, 3, 5, 7, seed=seed), Flip(probability, axis)
    once = flip(images, torch.arange(N), draws(N, seed=seed))[0]
    assert torch.equal(flip(once, torch.arange(N), draws(N, seed=seed))[0], images)
    mirrored = images.flip(3 if axis == "horizontal" else 2)
    for before, other, after in zip(images, mirrored, once, strict=True):
        assert torch.equal(after, before) or torch.equal(after, other)


@pytest.mark.parametrize(("probability", "share"), [(0.0, 0), (1.0, 1), (0.3, 0.3)])
def test_the_share_that_is_mirrored(probability, share):
    n = 4000
    images = torch.tensor([0, 1], dtype=torch.uint8).expand(n, 1, 2)
    mirrored = Flip(probability)(images, torch.zeros(n), draws(n))[0][:, 0, 0].float().mean()
    assert abs(float(mirrored) - share) < 0.03


@few
@given(padding=st.integers(0, 4), seed=st.integers(0, 99), mode=st.sampled_from(["zeros", "reflect"]))
def test_a_crop_is_a_window_of_the_padded_image(padding, seed, mode):
    images = noise(N, 2, 5, 6, seed=seed)
    cropped = Crop(padding, mode)(images, torch.arange(N), draws(N, seed=seed))[0]
    if padding == 0:
        assert torch.equal(cropped, images)
    padded = F.pad(images.float(), [padding] * 4, mode="constant" if mode == "zeros" else "reflect").to(torch.uint8)
    assert torch.equal(pad(images, padding, mode), padded)
    for before, after in zip(padded, cropped, strict=True):
        windows = before.unfold(1, 5, 1).unfold(2, 6, 1)
        assert any(torch.equal(windows[:, i, j], after) for i in range(2 * padding + 1) for j in range(2 * padding + 1))


@few
@given(size=st.integers(1, 6), seed=st.integers(0, 99))
def test_cutout_covers_its_square_and_nothing_else(size, seed):
    images = noise(N, 2, 7, 9, seed=seed).clamp(max=254)
    covered = (Cutout(size, fill=255)(images, torch.arange(N), draws(N, seed=seed))[0] == 255).all(1)  # (N, H, W)
    after = Cutout(size, fill=255)(images, torch.arange(N), draws(N, seed=seed))[0]
    assert torch.equal(after[~covered[:, None].expand_as(after)], images[~covered[:, None].expand_as(after)])
    for mask in covered:
        rows, columns = mask.any(1).nonzero()[:, 0], mask.any(0).nonzero()[:, 0]
        assert int(mask.sum()) == len(rows) * len(columns)  # a rectangle
        for inside, n in ((rows, 7), (columns, 9)):
            assert int(inside[-1] - inside[0]) + 1 == len(inside) <= size
            assert len(inside) == size or inside[0] == 0 or inside[-1] == n - 1  # cut off by the border only


@few
@given(seed=st.integers(0, 99), alpha=st.sampled_from([0.01, 0.2, 1.0, 8.0]))
def test_mixup_mixes_labels_as_it_mixes_images(seed, alpha):
    images = Images(noise(N, 1, 4, 4, seed=seed), torch.arange(N) % K)
    mixed, labels = epochs_of({"mixup": Mixup(alpha)}, images, seed).__getitems__([*range(N)])
    assert torch.allclose(labels.sum(1), torch.ones(N))
    assert labels.min() >= 0
    assert ((labels > 0).sum(1) <= 2).all()
    shown = images.images[:, None].float()  # each is nearer to one of the pairs that its label allows than rounding
    share = labels.gather(1, images.labels[:, None])[:, 0]
    pairs = share[:, None, None, None, None] * shown + (1 - share[:, None, None, None, None]) * images.images[None].float()
    errors = (pairs - mixed[:, None].float()).abs().flatten(2).amax(2)  # (N, N)
    same_class = images.labels[:, None] == images.labels[None]
    assert (errors.amin(1)[share < 1] <= 0.51).all()
    assert same_class.any(1)[share == 1].all()


def test_a_share_of_one_is_the_identity():
    images, others = noise(N, 1, 4, 4).float(), noise(N, 1, 4, 4, seed=1).float()
    labels = probabilities(torch.arange(N) % K, K)
    assert torch.equal(mix(images, others, torch.ones(N)), images)
    assert torch.equal(mix(images, others, torch.zeros(N)), others)
    assert torch.equal(mix(labels, labels.flip(0), torch.ones(N)), labels)
    assert torch.equal(probabilities(labels, K), labels)


def test_the_shares_follow_the_beta_distribution():
    shares = Mixup(0.4)._share(torch.rand(20_000, generator=torch.Generator().manual_seed(0)))
    assert abs(float(shares.mean()) - 0.5) < 0.01
    assert abs(float(shares.var()) - 1 / (4 * (2 * 0.4 + 1))) < 0.005  # of Beta(a, a)


def test_rotations_by_nothing_and_by_right_angles():
    images = noise(4, 3, 7, 7)
    assert torch.equal(rotate(images, torch.zeros(4)), images)
    quarter = rotate(images, torch.full((4,), torch.pi / 2))
    assert torch.equal(quarter, images.rot90(1, (2, 3)))
    assert torch.equal(Rotate(0.0)(images, torch.arange(4), draws(4))[0], images)


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("magnitude", [0, 9, 30])
@pytest.mark.parametrize("channels", [1, 3])
def test_operations_are_those_of_torchvision(name, magnitude, channels):
    images, theirs = noise(5, channels, 24, 20), v2.RandAugment()
    transform = {"autocontrast": "AutoContrast"}.get(name, name.title().replace("_", ""))
    magnitudes, signed = theirs._AUGMENTATION_SPACE[transform]
    of_bins = magnitudes(31, 24, 20)
    strength = 0.0 if of_bins is None else float(of_bins[magnitude])
    for sign in (1, -1) if signed else (1,):
        expected = theirs._apply_image_or_video_transform(
            images, transform, sign * strength, v2.InterpolationMode.NEAREST, theirs._fill
        )
        ours = OPERATIONS[name](images, sign * magnitude / 30)
        assert (ours.int() - expected.int()).abs().max() <= 1  # strengths are rounded to float32 there


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Flip(1.5), "probability=1.5: should be between 0 and 1"),
        (lambda: Crop(-1), "padding=-1"),
        (lambda: Cutout(0), "size=0"),
        (lambda: Cutout(4, 256), "fill=256: should be between 0 and 255"),
        (lambda: Mixup(0.0), "alpha=0.0"),
        (lambda: Rotate(181.0), "degrees=181.0"),
        (lambda: RandAugment(0), "operations=0"),
        (lambda: RandAugment(2, 31), "magnitude=31: should be between 0 and 30"),
    ],
)
def test_settings_out_of_range(make: Callable[[], object], words):
    with pytest.raises(ValueError, match=words):
        make()


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (lambda images, labels: images, "returns a Tensor; should return images and labels"),
        (lambda images, labels: (images.float(), labels), "float32; should return"),
        (lambda images, labels: (images[:, :1], labels), r"\[2, 1, 9, 8\]"),
        (lambda images, labels: (images, labels[:1]), r"labels of \[1\]"),
        (lambda images, labels: (images, labels.float()), "float32; should return"),
    ],
)
def test_one_s_own_augmentation_has_to_return_a_batch(result, words):
    def own(images, labels, draws):
        return result(images, labels)

    with pytest.raises(ConfigError, match=rf"augment\.own: .*{words}"):
        epochs_of({"own": own}, images_of(9, 8)).__getitems__([0, 1])
