"""The cost model of the locally connected layer's algorithms is held against times that were measured once on each machine."""

import json
from itertools import product
from statistics import median

import pytest
from conftest import ROOT

from convexp.layers.algorithms import ALGORITHMS, COSTS, OPERATIONS

FILES = sorted((ROOT / "tests" / "layers" / "algorithm_times").glob("*.json"))
TABLES = {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in FILES}


@pytest.fixture
def algorithm_costs(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "scripts")
    import algorithm_costs

    return algorithm_costs


def test_the_costs_are_those_of_the_stored_times(algorithm_costs):
    fitted = algorithm_costs.fit(algorithm_costs.tables())
    for operation, algorithm in product(OPERATIONS, ALGORITHMS):
        assert COSTS[operation][algorithm] == pytest.approx(fitted[operation][algorithm], rel=0.02)  # two digits


def test_machines_weigh_the_same_however_fast_they_are(algorithm_costs):
    table = TABLES["intel_r_xeon_r_processor_2_cores"]  # on which every algorithm was measured
    slower = {**table, "shapes": [{**shape, "milliseconds": _times(3, shape["milliseconds"])} for shape in table["shapes"]]}
    alone, together = algorithm_costs.fit([table, table]), algorithm_costs.fit([table, slower])
    for operation, algorithm in product(OPERATIONS, ALGORITHMS):
        assert together[operation][algorithm] == pytest.approx(alone[operation][algorithm], rel=0.02)


def _times(factor, milliseconds):
    return {batch: [[each and factor * each for each in row] for row in rows] for batch, rows in milliseconds.items()}


@pytest.mark.parametrize(
    ("machine", "in_c"), [("amd_epyc_2_cores", False), *((machine, True) for machine in TABLES)]
)  # the costs of algorithms in Python are of one machine
def test_the_choices_are_near_the_fastest_of_what_was_measured(machine, in_c, algorithm_costs):
    """On each stored table (its command, date and machine stand in it) the median choice is the fastest, none is far from it.

    Nothing is timed here: a change of the counts, the costs or the largest unfolded batch is judged by the same times. A
    table has one median of three rounds for each shape, batch, operation and algorithm, from a busy machine, so that a bound
    nearer to 1 would hold the noise of the table.
    """
    table = TABLES[machine]
    assert (tuple(table["operations"]), tuple(table["algorithms"])) == (OPERATIONS, ALGORITHMS)
    regrets = {geometry: algorithm_costs.regret(geometry, times, in_c) for geometry, times in algorithm_costs.rows(table)}
    assert len(regrets) > 150
    assert median(regrets.values()) == 1
    assert max(regrets.values()) < 1.6, max(regrets, key=regrets.__getitem__)
