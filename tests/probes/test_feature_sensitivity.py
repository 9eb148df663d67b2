"""What each layer notices of synonyms and of displaced features, on networks whose answer is known."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from nets import few, textures
from torch import nn

from convexp.data.hierarchy import draw_hierarchy
from convexp.data.rng import generator
from convexp.probes import NotApplicableError, Sample
from convexp.probes.behaviour.feature_sensitivity import FeatureSensitivity

N = 120
HIERARCHY = draw_hierarchy(v=4, m=3, s=2, s0=1, levels=2, classes=4, sparsity="A", seed=0)
CHANGES = {"synonyms_1", "synonyms_2", "displaced_1", "displaced_2"}


def sample(hierarchy=HIERARCHY, n=N):
    drawn = torch.Generator().manual_seed(0)
    labels = torch.randint(len(hierarchy.rules[0]), (n,), generator=drawn)
    return Sample(hierarchy.render(hierarchy.draw(labels, drawn)), labels, batch_size=50, hierarchy=hierarchy)


def measured(network, images=None):
    with torch.no_grad():
        return FeatureSensitivity(1000).measure(network, images or sample())


class Of(nn.Module):
    """A network that looks at images through a function."""

    def __init__(self, see):
        super().__init__()
        self.see = see

    def forward(self, images):
        return self.see(images)


def labels(images):
    return nn.functional.one_hot(HIERARCHY.decode(images).labels, 4).float()


def test_a_network_that_only_sees_the_class_notices_nothing():
    numbers = measured(Of(labels)).numbers
    assert numbers == {f"output/{change}": 0 for change in CHANGES} | {"n": N}


def test_a_network_that_sees_which_features_there_are_notices_synonyms_only():
    numbers = measured(Of(lambda images: HIERARCHY.features(HIERARCHY.decode(images))[0].float())).numbers
    assert numbers["output/displaced_1"] == numbers["output/displaced_2"] == 0
    assert numbers["output/synonyms_1"] > 0.3
    assert numbers["output/synonyms_2"] > 0.3


def test_a_network_that_sees_where_features_are_notices_displacements_only():
    numbers = measured(Of(lambda images: images.float().sum(1))).numbers
    assert numbers["output/synonyms_1"] == numbers["output/synonyms_2"] == 0
    assert numbers["output/displaced_1"] > 0.3
    assert numbers["output/displaced_2"] > 0.3


@few
@given(st.integers(0, 99), st.booleans())
def test_of_a_linear_network_it_is_what_a_direct_computation_gives(seed, second_batch_is_short):
    images = sample(n=70 if second_batch_is_short else 100)
    torch.manual_seed(seed)
    network = nn.Sequential(Of(lambda x: x.flatten(1).double()), nn.Linear(64, 5).double())
    found = measured(network, images).numbers
    weight = network[1].weight.detach()
    flat = images.images.flatten(1).double()
    pairs = torch.tensor([(i, j) for i in range(len(flat)) for j in range(i)])
    between = ((flat[pairs[:, 0]] - flat[pairs[:, 1]]) @ weight.T).square().sum(1).mean()
    derivation = HIERARCHY.decode(images.images)
    for level in (1, 2):
        exchanged = HIERARCHY.exchange_synonyms(derivation, level, generator("feature_sensitivity", "synonyms", level))
        displaced = HIERARCHY.displace(derivation, level, generator("feature_sensitivity", "displaced", level))
        for name, changed in (("synonyms", exchanged), ("displaced", displaced)):
            moved = ((HIERARCHY.render(changed).flatten(1).double() - flat) @ weight.T).square().sum(1).mean()
            assert found[f"1/{name}_{level}"] == pytest.approx(float(moved / between), rel=1e-6)


def test_a_layer_that_is_the_same_for_all_images_has_no_number():
    assert measured(Of(lambda images: torch.ones(len(images), 3))).numbers == {"n": N}


def test_what_a_hierarchy_lacks_is_left_out():
    no_synonyms = draw_hierarchy(4, 1, 2, 1, 2, 4, "A", 0)
    no_room = draw_hierarchy(4, 3, 2, 0, 2, 4, "A", 0)
    for hierarchy, there in ((no_synonyms, "displaced"), (no_room, "synonyms")):
        numbers = measured(Of(lambda x: x.flatten(1).float()), sample(hierarchy)).numbers
        assert set(numbers) == {f"output/{there}_1", f"output/{there}_2", "n"}
    with pytest.raises(NotApplicableError, match="neither synonyms"):
        measured(nn.Identity(), sample(draw_hierarchy(4, 1, 2, 0, 2, 4, "A", 0)))


def test_other_images_are_refused_with_the_reason():
    for images, reason in (
        (textures(), "was not made by a hierarchy of features; data=srhm was"),
        (replace(sample(), images=sample().images.roll(1, 2)), "on no canvas and not shifted"),
        (sample().first(1), "two images or more"),
    ):
        with pytest.raises(NotApplicableError, match=reason):
            measured(nn.Flatten(), images)
