"""Ensembles have means in and beyond the range of training where that is a whole square of shifts, and no others."""

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convexp.config.compose import compose_config
from convexp.execution.ensemble import _means_by_range
from convexp.probes.behaviour.equivariance import Equivariance
from convexp.probes.behaviour.shift_map import ShiftMap
from convexp.probes.results import Measurements, ProbeResult
from convexp.records.ensembles import BEYOND, ERROR_BEYOND, ERROR_IN_RANGE, IN_RANGE

LARGEST = 3
by_distance = st.lists(st.floats(0, 1), min_size=LARGEST + 1, max_size=LARGEST + 1)


def found(protocol, accuracies, logits, softmax):
    answer = {"logits": {"full_radius": logits}, "softmax": {"full_radius": softmax}}
    kinds = {"shift_map": (ShiftMap, {"radius": accuracies}), "equivariance": (Equivariance, answer)}
    return Measurements(
        {
            name: ProbeResult(kind(LARGEST, 1, protocol), {}, maps, {}, protocol, 0.0, None)
            for name, (kind, maps) in kinds.items()
        }
    )


@settings(max_examples=4, deadline=None)
@given(st.integers(0, LARGEST + 1), by_distance, by_distance, by_distance)
def test_they_are_the_means_over_the_shifts_within_and_without(trained, accuracies, logits, softmax):
    config = compose_config("data=mnist", f"data.shift.train={trained}")
    distances = [max(map(abs, shift)) for shift in product(range(-LARGEST, LARGEST + 1), repeat=2)]
    shifted = [r for r in distances if r]
    for mean_of, errors in (("outputs", logits), ("probabilities", softmax)):
        means = _means_by_range(found(config.data.shift.protocol, accuracies, logits, softmax), config, mean_of)
        for name, chosen in (
            (IN_RANGE, [accuracies[r] for r in distances if r <= trained]),
            (BEYOND, [accuracies[r] for r in distances if r > trained]),
            (ERROR_IN_RANGE, [errors[r] for r in shifted if r <= trained]),
            (ERROR_BEYOND, [errors[r] for r in shifted if r > trained]),
        ):
            assert (name in means) == bool(chosen)
            if chosen:
                assert means[name] == pytest.approx(sum(chosen) / len(chosen))


def test_an_answer_that_is_zero_has_no_error():
    config = compose_config("data=mnist", "data.shift.train=1")
    ones, nothing = [1.0] * (LARGEST + 1), [float("nan")] * (LARGEST + 1)
    means = _means_by_range(found(config.data.shift.protocol, ones, nothing, ones), config, "outputs")
    assert means == {IN_RANGE: 1, BEYOND: 1}


@pytest.mark.parametrize(
    "shift",
    [
        ("data.shift.train=[1,0]",),
        ("data.shift.train=[[0,0],[1,1]]",),
        ("data=waldo", "data.image_shape=[1,20,40]", "data.canvas=null", "data.shift.train=0.1"),
    ],
    ids=["one shift", "a list", "a share of an oblong"],
)
def test_there_are_none_where_training_draws_other_shifts(shift):
    config = compose_config(*(() if "data=waldo" in shift else ("data=mnist",)), *shift)
    ones = [1.0] * (LARGEST + 1)
    assert _means_by_range(found(config.data.shift.protocol, ones, ones, ones), config, "outputs") == {}
