import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from convexp.data.split import stratified
from convexp.errors import ConfigError

few = settings(deadline=None, max_examples=60)


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
    rest, held = stratified(labels, size, seed, "x")
    assert len(held) == size
    assert torch.equal(torch.cat([rest, held]).sort().values, torch.arange(len(labels)))
    assert torch.equal(rest, rest.sort().values)
    assert torch.equal(held, held.sort().values)


@few
@given(cases())
def test_class_shares_are_kept_within_one(case):
    labels, size, seed = case
    _, held = stratified(labels, size, seed, "x")
    for c in labels.unique():
        assert abs(int((labels[held] == c).sum()) - size * int((labels == c).sum()) / len(labels)) < 1


@few
@given(cases())
def test_the_seed_decides(case):
    labels, size, seed = case
    first = stratified(labels, size, seed, "x")
    torch.rand(1)  # whatever the global state
    assert all(torch.equal(a, b) for a, b in zip(first, stratified(labels, size, seed, "x"), strict=True))


@pytest.mark.parametrize("other", [1, 2, 12345, 2**31])
def test_another_seed_another_split(other):
    labels = torch.arange(200) % 4
    assert not torch.equal(stratified(labels, 40, 0, "x")[1], stratified(labels, 40, other, "x")[1])


def test_every_sample_is_held_out_sometimes():
    labels = torch.arange(20) % 2
    held = torch.cat([stratified(labels, 10, seed, "x")[1] for seed in range(40)])
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
    with pytest.raises(ConfigError, match=f"data.val_size={size}: .*of {sum(counts)} samples"):
        stratified(labels, size, 0, "data.val_size")
