"""The run of a study that a configuration is nearest to."""

import pytest

from convexp.config.schema import Study
from convexp.studies.nearest import overrides_left

GRIDS = [
    {"model": ["conv", "local"], "x, y": [[1, 1.0], [2, [4, 2]]], "seed": "range(3)"},
    {"+model": "dense", "x, y": [[5, 5]], "z": [0, 1]},
]


def left(settings, given=(), exclude=()):
    study = Study(name="mine", question="Which one", grid=GRIDS, exclude=list(exclude))
    return overrides_left(study, settings.get, given, lambda name: name != "seed")


@pytest.mark.parametrize(
    ("settings", "given", "wanted"),
    [
        ({"model": "conv", "x": 1, "y": 1, "seed": 7}, (), {}),
        ({"model": "local", "x": 2, "y": [4, 2]}, (), {}),
        ({"model": "conv", "x": 2, "y": 1}, (), {"x": "1"}),
        ({"model": "conv", "x": 2, "y": 1}, ("x",), {"y": "[4,2]"}),
        ({"model": "dense", "x": 1, "y": 1, "z": 1}, (), {"model": "conv"}),
        ({"model": "dense", "x": 1, "y": 1, "z": 1}, ("model", "seed"), {"x": "5", "y": "5"}),
        ({"model": "mlp", "x": 1, "y": 1}, ("model",), {}),  # no run has it, but it is asked for
        ({"model": "conv", "x": True, "y": 1}, (), {"x": "1"}),
    ],
)
def test_the_least_that_leads_to_a_run(settings, given, wanted):
    assert left(settings, given) == wanted


def test_points_left_out_are_no_runs():
    assert left({"model": "conv", "x": 1, "y": 1}, exclude=[{"model": "conv", "x": 1}]) == {"model": "local"}
