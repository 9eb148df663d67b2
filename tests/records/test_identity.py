"""The identity of a run outlives new settings that have the value of older versions."""

import pytest

from convexp.records import identity


@pytest.mark.parametrize(("value", "left"), [({"_target_": "a.B", "x": 0}, {}), ({"_target_": "a.B", "x": 1}, {"task": ...})])
def test_settings_added_later_count_only_if_they_differ(monkeypatch, value, left):
    monkeypatch.setattr(identity, "ADDED_LATER", {"task": {"_target_": "a.B", "x": 0}, "model.layers": None, "no.such": 1})
    settings = {"seed": 0, "task": value, "model": {"name": "conv", "layers": None}, "no": 3}
    identity.drop_added_later(settings)
    assert settings == {"seed": 0, "model": {"name": "conv"}, "no": 3} | dict.fromkeys(left, value)
