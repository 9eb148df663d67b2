"""Objects are made from plain mappings, and nothing in these is interpreted."""

import functools
from collections import OrderedDict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convexp.config.instantiate import instantiate, locate

TEXT = st.text() | st.sampled_from(["${seed}", r"\${oc.create:{_target_:builtins.exit}}", "${oc.env:HOME}", "???", "_target_"])
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT.filter(lambda key: key != "_target_"), inner),
)


@given(PLAIN)
def test_without_a_target_everything_stays_as_it_is(value):
    assert repr(instantiate(value)) == repr(value)


@given(st.dictionaries(st.text().filter(lambda key: key not in ("_target_", "_partial_")), PLAIN))
def test_a_target_gets_its_settings_by_name_and_as_they_are(settings):
    made = instantiate({"_target_": "builtins.dict", **settings})
    assert repr(made) == repr(settings)


def test_targets_in_mappings_and_lists_are_made_too():
    inner = {"_target_": "collections.OrderedDict", "a": 1}
    made = instantiate({"_target_": "builtins.dict", "one": inner, "many": [inner, {"deep": inner}]})
    assert made == {"one": OrderedDict(a=1), "many": [OrderedDict(a=1), {"deep": OrderedDict(a=1)}]}
    assert type(made["one"]) is type(made["many"][1]["deep"]) is OrderedDict


def test_partial():
    made = instantiate({"_target_": "builtins.int", "_partial_": True, "base": 2})
    assert isinstance(made, functools.partial)
    assert made("101") == 5
    assert instantiate({"_target_": "builtins.dict", "_partial_": False, "a": 1}) == {"a": 1}


def test_what_a_name_stands_for():
    assert locate("collections.OrderedDict") is OrderedDict
    assert locate("collections.OrderedDict.fromkeys")("a") == OrderedDict(a=None)
    for name in ("nowhere.Thing", "collections.Nothing", "collections.abc.Nothing", "Thing", "os..path", ""):
        with pytest.raises((ImportError, AttributeError, ValueError)):
            locate(name)


def test_a_module_that_cannot_be_imported_says_why(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "needs_more.py").write_text("import a_package_that_is_missing")
    with pytest.raises(ModuleNotFoundError, match="a_package_that_is_missing"):
        locate("needs_more.Layer")
