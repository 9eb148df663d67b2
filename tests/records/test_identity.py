"""The identity of a run outlives new settings that have the value of older versions."""

import pytest

from convexp.config.compose import compose_config
from convexp.records import RunRecord, identity
from convexp.records.repetitions import seedless_configurations
from convexp.records.settings import completed
from convexp.records.settings_table import SettingsTable
from convexp.records.status import RunStatus


@pytest.mark.parametrize(("value", "left"), [({"_target_": "a.B", "x": 0}, {}), ({"_target_": "a.B", "x": 1}, {"task": ...})])
def test_settings_added_later_count_only_if_they_differ(monkeypatch, value, left):
    monkeypatch.setattr(identity, "ADDED_LATER", {"task": {"_target_": "a.B", "x": 0}, "model.layers": None, "no.such": 1})
    settings = {"seed": 0, "task": value, "model": {"name": "conv", "layers": None}, "no": 3}
    identity.drop_added_later(settings)
    assert settings == {"seed": 0, "model": {"name": "conv"}, "no": 3} | dict.fromkeys(left, value)


def test_runs_of_older_versions_repeat_those_with_settings_that_do_the_same():
    now = {"trainer": {"max_epochs": 5, "accumulate_grad_batches": 1}, "augment": None, "seed": 1}
    older = {"trainer": {"max_epochs": 5}, "seed": 0}
    others = [
        {**now, "augment": {"flip": {"_target_": "a.B"}}},
        {**now, "trainer": {"max_epochs": 5, "accumulate_grad_batches": 2}},
    ]
    runs = [RunRecord(state=RunStatus.FINISHED, config=config, seed=config["seed"]) for config in (older, now, *others)]
    first, second, *different = seedless_configurations(runs)
    assert first is second
    assert all(each is not first for each in different)
    assert "trainer.accumulate_grad_batches" not in SettingsTable(runs[:2]).differing()


FLIP, CROP = {"flip": {"_target_": "a.B"}}, {"crop": {"_target_": "a.C"}}
BIAS, STAGES = {"a": {"kind": "bias", "lr": 0.5}}, {"b": {"name": "stages.*", "lr": 0.1}}


@pytest.mark.parametrize(("section", "first", "second"), [("augment", FLIP, CROP), ("optimizer.groups", BIAS, STAGES)])
def test_what_is_applied_in_another_order_is_no_repetition(section, first, second):
    def ran(entries, seed):
        outer, _, inner = section.partition(".")
        return RunRecord(
            state=RunStatus.FINISHED, config={outer: {inner: entries} if inner else entries, "seed": seed}, seed=seed
        )

    one, again, turned, single = seedless_configurations(
        [ran(first | second, 0), ran(first | second, 1), ran(second | first, 1), ran(first, 0)]
    )
    assert one is again
    assert turned is not one
    assert (one[section], turned[section]) == (",".join(first | second), ",".join(second | first))
    assert section not in single


def test_the_order_of_groups_of_parameters_is_part_of_the_identity():
    def identity_of(groups):
        return identity.identity_hash(compose_config("trainer=cpu", f"+optimizer.groups={{{groups}}}").identity())

    a, b = "a:{kind:bias,lr:0.5}", "b:{name:'stages.*',lr:0.1}"
    assert len({identity_of(each) for each in (f"{a},{b}", f"{b},{a}", a, b)}) == 4


@pytest.mark.unit
def test_what_was_added_to_a_probe_later_is_a_setting_of_runs_that_have_it():
    with_probe = completed({"probes.consistency.max_shift": 4, "model.name": "conv"})
    assert with_probe["probes.consistency.permuted"] is False
    without = completed({"probes.shift_map.max_shift": 4, "model.name": "conv"})
    assert "probes.consistency.permuted" not in without
    assert without["trainer.devices"] == 1
