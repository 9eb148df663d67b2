"""The cost model of the locally connected layer's algorithms is held against times that were measured once."""

import json
from itertools import product
from statistics import median

import pytest
from conftest import ROOT

from convexp.layers.algorithms import ALGORITHMS, COSTS, IN_C, OPERATIONS, fastest

TABLE = json.loads((ROOT / "tests" / "layers" / "algorithm_times.json").read_text(encoding="utf-8"))


@pytest.fixture
def algorithm_costs(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "scripts")
    import algorithm_costs

    return algorithm_costs


def regret(geometry, rows, in_c):
    """Time of the three operations by the chosen algorithms over that by the fastest ones."""
    chosen = best = 0.0
    for operation, times in zip(TABLE["operations"], rows, strict=True):
        chosen += times[fastest(operation, geometry, in_c=in_c)]
        best += min(time for algorithm, time in times.items() if in_c or algorithm not in IN_C)
    return chosen / best


def test_the_costs_are_those_of_the_stored_times(algorithm_costs):
    fitted = algorithm_costs.fit(TABLE)
    for operation, algorithm in product(OPERATIONS, ALGORITHMS):
        assert COSTS[operation][algorithm] == pytest.approx(fitted[operation][algorithm], rel=0.02)  # two digits


@pytest.mark.parametrize("in_c", [False, True])
def test_the_choices_are_near_the_fastest_of_what_was_measured(in_c, algorithm_costs):
    """On the stored table (its command, date and machine stand in it) the median choice is the fastest, none is far from it.

    Nothing is timed here: a change of the counts, the costs or the largest unfolded batch is judged by the same times. The
    table has one median of three rounds for each shape, batch, operation and algorithm, from a busy machine, so that a bound
    nearer to 1 would hold the noise of the table.
    """
    assert (tuple(TABLE["operations"]), tuple(TABLE["algorithms"])) == (OPERATIONS, ALGORITHMS)
    regrets = {geometry: regret(geometry, times, in_c) for geometry, times in algorithm_costs.rows(TABLE)}
    assert len(regrets) > 150
    assert median(regrets.values()) == 1
    assert max(regrets.values()) < 1.6, max(regrets, key=regrets.__getitem__)
