"""Names that have moved: old run folders mean the same, and the identity of a run stays what it was."""

from importlib import import_module

import pytest

from convexp.config.compose import compose_config
from convexp.records import identity_hash
from convexp.records.renamed import MOVED, first_named, renamed


@pytest.mark.parametrize(("old", "new"), MOVED.items())
def test_what_moved_is_there_and_nothing_is_left(old, new):
    assert import_module(new)
    with pytest.raises(ModuleNotFoundError):
        import_module(old)


def test_renaming_is_undone_however_deep():
    values = {
        "probes": {"a": {"_target_": "convexp.probes.shift_map.ShiftMap", "more": [{"_target_": "torch.nn.ReLU"}]}},
        "x": 1,
    }
    moved = renamed(values)
    assert moved["probes"]["a"]["_target_"] == "convexp.probes.behaviour.shift_map.ShiftMap"
    assert first_named(moved) == values
    assert renamed(moved) == moved


def test_the_identity_of_a_run_outlives_the_move():
    """As the commit before the move computed it for ``convexp-train probes=all``, which were all but those added since."""
    since = ("errors", "feature_sensitivity", "inverse_participation_ratio", "distinct_weights")
    config = compose_config("probes=all", *(f"~probes.{name}" for name in since))
    assert identity_hash(config.identity()) == "2776cc8a90a5cf77"
