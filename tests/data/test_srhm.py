"""Signals of the sparse random hierarchy model are what its rules and places make, and decode to their labels."""

import itertools

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from convexp.data.hierarchy import BRIGHT, Derivation, Hierarchy, draw_hierarchy, tuple_numbers
from convexp.data.srhm import number_of_signals, srhm
from convexp.errors import ConfigError

few = settings(deadline=None, max_examples=40)
CASE = {"v": 4, "m": 3, "s": 2, "s0": 1, "levels": 2, "classes": 3, "sparsity": "A", "seed": 0}
SIZES = {"shape": [4, 16], "train": 300, "test": 200}


@st.composite
def hierarchies(draw, fewest_synonyms: int = 1) -> Hierarchy:
    s, v = draw(st.integers(2, 3)), draw(st.integers(2, 4))
    m = draw(st.integers(fewest_synonyms, v ** (s - 1)))
    classes = draw(st.integers(1, v**s // m))
    return draw_hierarchy(
        v,
        m,
        s,
        draw(st.integers(0, 2)),
        draw(st.integers(1, 2)),
        classes,
        draw(st.sampled_from("AB")),
        draw(st.integers(0, 99)),
    )


def drawn(hierarchy: Hierarchy, n: int = 12, seed: int = 0) -> Derivation:
    generator = torch.Generator().manual_seed(seed)
    return hierarchy.draw(torch.randint(len(hierarchy.rules[0]), (n,), generator=generator), generator)


def same(one: Derivation, other: Derivation) -> bool:
    pairs = zip((one.labels, *one.choices, *one.places), (other.labels, *other.choices, *other.places), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


@few
@given(hierarchies(), st.integers(0, 99))
def test_a_signal_decodes_to_how_it_was_made(hierarchy, seed):
    derivation = drawn(hierarchy, seed=seed)
    signals = hierarchy.render(derivation)
    assert signals.shape == (12, hierarchy.v, (hierarchy.s * (hierarchy.s0 + 1)) ** hierarchy.levels)
    assert signals.dtype == torch.uint8
    assert same(hierarchy.decode(signals), derivation)


@few
@given(hierarchies())
def test_a_signal_has_one_channel_at_each_of_its_features_and_nothing_elsewhere(hierarchy):
    signals = hierarchy.render(drawn(hierarchy))
    assert set(signals.unique().tolist()) <= {0, BRIGHT}
    at = (signals == BRIGHT).sum(1)  # (N, length)
    assert int(at.max()) == 1
    assert (at.sum(1) == hierarchy.s**hierarchy.levels).all()
    patches = at.unflatten(1, (-1, hierarchy.patch)).sum(2)
    assert set(patches.unique().tolist()) <= {0, hierarchy.s}  # a patch is empty, or it holds a tuple


@few
@given(hierarchies())
def test_no_tuple_is_made_twice(hierarchy):
    for rules in hierarchy.rules:
        made = tuple_numbers(rules.flatten(0, 1), hierarchy.v)
        assert len(made.unique()) == len(made) == rules.shape[0] * hierarchy.m
        assert 0 <= int(rules.min()) <= int(rules.max()) < hierarchy.v


@few
@given(hierarchies())
def test_features_lie_where_they_may(hierarchy):
    for places in drawn(hierarchy).places:
        if hierarchy.sparsity == "A":
            assert (places // (hierarchy.s0 + 1) == torch.arange(hierarchy.s)).all()
        else:
            assert (places.diff(dim=-1) > 0).all()
            assert int(places.max()) < hierarchy.patch


@few
@given(hierarchies(fewest_synonyms=2), st.data())
def test_exchanging_and_displacing_keep_the_class_and_change_one_level(hierarchy, data):
    level = data.draw(st.integers(1, hierarchy.levels))
    before, generator = drawn(hierarchy), torch.Generator().manual_seed(1)
    exchanged = hierarchy.decode(hierarchy.render(hierarchy.exchange_synonyms(before, level, generator)))
    displaced = hierarchy.decode(hierarchy.render(hierarchy.displace(before, level, generator)))
    assert torch.equal(exchanged.labels, before.labels)
    assert torch.equal(displaced.labels, before.labels)
    for step in range(hierarchy.levels):
        here = step == hierarchy.levels - level
        assert torch.equal(exchanged.places[step], before.places[step])
        assert torch.equal(displaced.choices[step], before.choices[step])
        assert (exchanged.choices[step] != before.choices[step]).all() if here else True
        assert torch.equal(exchanged.choices[step], before.choices[step]) or here
        assert torch.equal(displaced.places[step], before.places[step]) or here
    assert torch.equal(hierarchy.features(displaced)[0], hierarchy.features(before)[0])
    assert torch.equal(hierarchy.features(exchanged)[1], hierarchy.features(before)[1])


def test_what_no_rule_makes_is_refused():
    hierarchy = draw_hierarchy(3, 2, 2, 1, 2, 2, "A", 0)
    signals = hierarchy.render(drawn(hierarchy))
    for wrong, words in (
        (signals[:, :, :-1], "features and positions"),
        (torch.zeros_like(signals), "other numbers of features"),
        (torch.full_like(signals, BRIGHT), "other numbers of features"),
        (signals.roll(1, 2), "other tuples or places|other numbers"),
        (signals.flip(1), "other tuples"),
    ):
        with pytest.raises(ValueError, match=words):
            hierarchy.decode(wrong)


def chi_squared(counts: torch.Tensor) -> float:
    expected = counts.sum() / len(counts)
    return float(((counts - expected) ** 2 / expected).sum())


@pytest.mark.parametrize("sparsity", ["A", "B"])
def test_classes_synonyms_and_places_are_uniform(sparsity):
    source = srhm(**CASE | {"sparsity": sparsity, "s0": 2}, shape=[4, 36], train=20_000, test=1)
    hierarchy = source.hierarchy
    assert hierarchy is not None
    made = hierarchy.decode(source.train_images)
    assert torch.equal(made.labels, source.train_labels)
    assert chi_squared(made.labels.bincount(minlength=3).double()) < 18.4  # 2 degrees: p = 1e-4
    for choices, places in zip(made.choices, made.places, strict=True):
        assert chi_squared(choices.flatten().bincount(minlength=3).double()) < 18.4
        ways = tuple_numbers(places, 6).flatten().bincount(minlength=36).double()
        assert int((ways > 0).sum()) == (9 if sparsity == "A" else 15)
        assert chi_squared(ways[ways > 0]) < (31.9 if sparsity == "A" else 42.6)  # 8 and 14 degrees: p = 1e-4


def test_rules_are_drawn_uniformly():
    """Any of the four tuples is as likely to be the first that feature 0 makes."""
    first = torch.stack([draw_hierarchy(2, 2, 2, 0, 1, 2, "A", seed).rules[0][0, 0] for seed in range(2000)])
    assert chi_squared(tuple_numbers(first, 2).bincount(minlength=4).double()) < 21.1  # 3 degrees: p = 1e-4


def test_the_number_of_signals_is_that_of_all_there_are():
    for sparsity in ("A", "B"):
        hierarchy = draw_hierarchy(2, 2, 2, 1, 1, 2, sparsity, 0)
        ways = [p for p in itertools.combinations(range(4), 2) if sparsity == "B" or (p[0] < 2 <= p[1])]
        made = {
            hierarchy.render(Derivation(torch.tensor([a]), (torch.tensor([[c]]),), (torch.tensor([[p]]),))).numpy().tobytes()
            for a, c, p in itertools.product(range(2), range(2), ways)
        }
        assert len(made) == number_of_signals(2, 2, 1, 1, 2, sparsity)


def test_parts_have_nothing_in_common_and_the_same_rules():
    source = srhm(**CASE | {"m": 2, "classes": 2, "s0": 0, "levels": 3}, shape=[4, 8], train=60, test=500)  # of 256 signals
    learned = {row.numpy().tobytes() for row in source.train_images}
    assert len(learned) == 60
    assert not learned & {row.numpy().tobytes() for row in source.test_images}
    assert len(source.test_images) == len(source.test_labels) == 500
    assert torch.equal(source.hierarchy.decode(source.test_images).labels, source.test_labels)


@few
@given(hierarchies(), st.data())
def test_signals_for_training_are_all_different(hierarchy, data):
    s, s0, levels, classes = hierarchy.s, hierarchy.s0, hierarchy.levels, len(hierarchy.rules[0])
    assume(classes > 1)
    sizes = {"m": hierarchy.m, "s": s, "s0": s0, "levels": levels, "classes": classes, "sparsity": hierarchy.sparsity}
    n = data.draw(st.integers(1, min(number_of_signals(**sizes) // 2, 1500)))
    shape = [hierarchy.v, (s * (s0 + 1)) ** levels]
    source = srhm(**sizes, v=hierarchy.v, shape=shape, train=n, test=1, seed=data.draw(st.integers(0, 9)))
    assert len(source.train_images) == len(source.train_labels) == n
    assert len(source.train_images.unique(dim=0)) == n
    assert torch.equal(source.hierarchy.decode(source.train_images).labels, source.train_labels)


def test_the_seed_decides_and_a_smaller_part_is_the_beginning_of_a_larger_one():
    first, again, other = (srhm(**CASE | {"seed": seed}, **SIZES) for seed in (0, 0, 1))
    assert first.checksum() == again.checksum() != other.checksum()
    assert not torch.equal(first.hierarchy.rules[1], other.hierarchy.rules[1])
    more = srhm(**CASE, **SIZES | {"train": 1200, "test": 1100})
    assert torch.equal(more.train_images[:300], first.train_images)
    assert torch.equal(more.train_labels[:300], first.train_labels)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"v": 1}, "v=1: should be a whole number, 2 or more"),
        ({"m": 5}, "m=5: should be at most 4, v^(s-1)"),
        ({"m": 2.0}, "m=2.0: should be a whole number"),
        ({"s": 0}, "s=0: should be a whole number, 1 or more"),
        ({"s": 30}, "s=30: should be smaller: there would be more than 1,000,000 tuples"),
        ({"s0": -1}, "s0=-1: should be a whole number, 0 or more"),
        ({"levels": 12}, "levels=12: should be fewer: signals have"),
        ({"levels": 10**12}, "levels=1000000000000: should be fewer"),
        ({"classes": 6}, "classes=6: should be at most 5, v^s / m"),
        ({"sparsity": "C"}, "sparsity=C: should be A or B"),
        ({"shape": [4, 15]}, "shape=[4, 15]: should be [4, 16]"),
        ({"shape": [1, 4, 16]}, "shape=[1, 4, 16]: should be [4, 16]"),
        ({"train": 0}, "train=0: should be a whole number, 1 or more"),
        ({"train": 10**13}, "train=10000000000000: does not fit into memory"),
        ({"s0": 0, "shape": [4, 4], "train": 41}, "train=41: should be at most 40, half of the 81 different signals"),
        ({"seed": -1}, "seed=-1: should be a whole number, 0 or more"),
    ],
)
def test_a_wrong_setting_is_named(wrong, words):
    with pytest.raises(ConfigError) as error:
        srhm(**CASE | SIZES | wrong)
    assert str(error.value).startswith(f"data.source.{words}".replace("data.source.shape", "data.image_shape"))
    assert "\n" not in str(error.value)
