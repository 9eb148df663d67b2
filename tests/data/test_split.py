import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from convexp.data.split import stratified_order, stratified_split, stratified_subset, subset_size
from convexp.errors import ConfigError

few = settings(deadline=None, max_examples=60)
seeds = st.integers(0, 2**31)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Tensor, int, int]:
    """Labels, of which every class (some absent) can give and keep one; a size; a seed."""
    counts = draw(st.lists(st.one_of(st.just(0), st.integers(8, 40)), min_size=1, max_size=6).filter(any))
    labels = torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts))
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(draw(st.integers(0, 99))))
    least = -(-len(labels) // min(n for n in counts if n))
    return labels[order], draw(st.integers(least, len(labels) - least)), draw(st.integers(0, 2**31))


@few
@given(cases())
def test_a_split_is_a_partition_of_exact_sizes(case):
    labels, size, seed = case
    rest, held = stratified_split(labels, size, seed, "x")
    assert len(held) == size
    assert torch.equal(torch.cat([rest, held]).sort().values, torch.arange(len(labels)))
    assert torch.equal(rest, rest.sort().values)
    assert torch.equal(held, held.sort().values)


@few
@given(cases())
def test_class_shares_are_kept(case):
    """Webster's rule: within half a sample of ``t * n_c`` for one t, so within 1/2 + classes * share / 2 of the exact share."""
    labels, size, seed = case
    _, held = stratified_split(labels, size, seed, "x")
    classes = labels.unique()
    for c in classes:
        share = int((labels == c).sum()) / len(labels)
        assert abs(int((labels[held] == c).sum()) - size * share) <= 0.5 + len(classes) * share / 2


@few
@given(st.integers(1, 6), st.integers(1, 12), seeds)
def test_in_a_beginning_classes_of_equal_size_differ_by_one_at_most(classes, each, seed):
    labels = torch.arange(classes).repeat(each)
    chosen = labels[stratified_order(labels, seed)]
    for end in range(len(labels) + 1):
        counts = torch.bincount(chosen[:end], minlength=classes)
        assert int(counts.max() - counts.min()) <= 1


@few
@given(cases(), st.data())
def test_a_smaller_training_set_is_part_of_a_larger_one(case, data):
    labels, _, seed = case
    least = max(len(labels) - 10, (labels.bincount() > 0).sum().item() * 8)
    sizes = sorted(data.draw(st.lists(st.integers(least, len(labels)), min_size=2, max_size=4)))
    sets = [set(stratified_subset(labels, size, seed, "x").tolist()) for size in sizes]
    assert [len(s) for s in sets] == sizes
    assert all(smaller <= larger for smaller, larger in zip(sets, sets[1:], strict=False))
    assert stratified_subset(labels, None, seed, "x").tolist() == list(range(len(labels)))


@few
@given(st.integers(1, 2000), st.floats(0.01, 1))
def test_a_share_is_that_many(total, share):
    assert abs(subset_size(share, total, "x") - share * total) <= 0.5
    assert subset_size(total, 5, "x") == total


def test_a_share_and_its_number_are_the_same_split():
    labels = torch.arange(200) % 4
    for share, size in ((0.2, 40), (0.5, 100)):
        assert torch.equal(stratified_split(labels, share, 3, "x")[1], stratified_split(labels, size, 3, "x")[1])
        assert torch.equal(stratified_subset(labels, share, 3, "x"), stratified_subset(labels, size, 3, "x"))


@pytest.mark.parametrize("size", [0, -1, -0.2, 1.5, "10%", True, float("nan")])
def test_what_is_no_number_of_samples(size):
    with pytest.raises(ConfigError, match=r"data.val_size=.*: should be a number"):
        stratified_split(torch.arange(40) % 2, size, 0, "data.val_size")


def test_more_than_there_are():
    with pytest.raises(ConfigError, match=r"data.train_size=41: there are 40 samples"):
        stratified_subset(torch.arange(40) % 2, 41, 0, "data.train_size")


@few
@given(cases())
def test_the_seed_decides(case):
    labels, size, seed = case
    first = stratified_split(labels, size, seed, "x")
    torch.rand(1)  # whatever the global state
    assert all(torch.equal(a, b) for a, b in zip(first, stratified_split(labels, size, seed, "x"), strict=True))


@pytest.mark.parametrize("other", [1, 2, 12345, 2**31])
def test_another_seed_another_split(other):
    labels = torch.arange(200) % 4
    assert not torch.equal(stratified_split(labels, 40, 0, "x")[1], stratified_split(labels, 40, other, "x")[1])


def test_every_sample_is_held_out_sometimes():
    labels = torch.arange(20) % 2
    held = torch.cat([stratified_split(labels, 10, seed, "x")[1] for seed in range(40)])
    assert held.unique().numel() == 20


@pytest.mark.parametrize(
    ("counts", "size"),
    [
        ([10, 10], 0),
        ([10, 10], 1),
        ([10, 10], 19),
        ([10, 10], 20),
        ([10, 10], 30),
        ([50, 1], 10),
        ([50, 1], 50),
        ([50, 2], 3),
    ],
)
def test_a_class_with_too_few_samples(counts, size):
    labels = torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts))
    with pytest.raises(ConfigError, match=f"data.val_size={size}: "):
        stratified_split(labels, size, 0, "data.val_size")


@pytest.mark.parametrize("share", [False, True])
@pytest.mark.parametrize(("counts", "most"), [([10, 10], 18), ([32, 2], 25), ([50, 7, 2], 44)])
def test_what_is_said_to_be_right_is_the_bound(counts, most, share):
    labels = torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts))
    n = len(labels)
    for size, part, one_more in ((1, "held out", -1), (n - 1, "left", 1)):
        with pytest.raises(ConfigError, match=f"would be {part}; should be") as told:
            stratified_split(labels, size / n if share else size, 0, "data.val_size")
        text = str(told.value).partition("should be ")[2].split()[0]
        bound = float(text) if share else int(text)
        stratified_split(labels, bound, 0, "data.val_size")
        with pytest.raises(ConfigError):
            stratified_split(labels, subset_size(bound, n, "x") + one_more, 0, "data.val_size")
    assert subset_size(bound, n, "x") == most


def test_a_class_is_called_by_its_name_and_counted_among_what_is_split():
    labels = torch.tensor([0] * 32 + [1] * 2)
    with pytest.raises(ConfigError) as told:
        stratified_split(labels, 0.1, 0, "data.val_size", ["cats", "dog's"], " that are not for testing")
    assert str(told.value) == (
        "data.val_size=0.1: no sample of class dog's, which has 2 of the 34 samples that are not for testing, would be held "
        "out; should be 0.27 or more"
    )
    with pytest.raises(
        ConfigError, match=r"data.train_size=1: no sample of class dog's, .* would be left; should be 9 or more"
    ):
        stratified_subset(labels, 1, 0, "data.train_size", ["cats", "dog's"])
    with pytest.raises(ConfigError, match=r"class 1 has 1 of the 4 samples, and needs two, one to hold out and one to leave"):
        stratified_split(torch.tensor([0, 0, 0, 1]), 2, 0, "data.val_size")
