"""Ensembles have accuracies in and beyond the range of training where that is a whole square of shifts, and no others."""

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convexp.config.compose import compose_config
from convexp.execution.ensemble import _accuracies_by_range
from convexp.probes.behaviour.shift_map import ShiftMap
from convexp.probes.results import Measurements, ProbeResult
from convexp.records.ensembles import BEYOND, IN_RANGE

LARGEST = 3


def found(protocol, radius):
    probe = ShiftMap(max_shift=LARGEST, max_images=1, protocol=protocol)
    return Measurements({"shift_map": ProbeResult(probe, {}, {"radius": radius}, {}, protocol, 0.0, None)})


@settings(max_examples=4, deadline=None)
@given(st.integers(0, LARGEST + 1), st.lists(st.floats(0, 1), min_size=LARGEST + 1, max_size=LARGEST + 1))
def test_they_are_the_means_over_the_shifts_within_and_without(trained, radius):
    config = compose_config("data=mnist", f"data.shift.train={trained}")
    means = _accuracies_by_range(found(config.data.shift.protocol, radius), config)
    distances = [max(map(abs, shift)) for shift in product(range(-LARGEST, LARGEST + 1), repeat=2)]
    for name, chosen in (
        (IN_RANGE, [radius[r] for r in distances if r <= trained]),
        (BEYOND, [radius[r] for r in distances if r > trained]),
    ):
        assert (name in means) == bool(chosen)
        if chosen:
            assert means[name] == pytest.approx(sum(chosen) / len(chosen))


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
    assert _accuracies_by_range(found(config.data.shift.protocol, [1.0] * (LARGEST + 1)), config) == {}
