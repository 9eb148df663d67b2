"""What a misspelled name may have been meant to be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convexp.config.messages.suggestions import suggest_option, suggest_path

NAMES = st.text("abc", min_size=3, max_size=6)
SETTINGS = st.recursive(st.integers(), lambda values: st.dictionaries(NAMES, values, min_size=1, max_size=3), max_leaves=8)
TREES = st.dictionaries(NAMES, SETTINGS, min_size=1, max_size=3)
PATHS = st.lists(NAMES, min_size=1, max_size=3)


def exists(path: str, settings: object) -> bool:
    for part in path.split("."):
        if not isinstance(settings, dict) or part not in settings:
            return False
        settings = settings[part]
    return True


@given(TREES, PATHS)
def test_what_is_suggested_exists_and_has_as_many_parts(settings, parts):
    path = ".".join(parts)
    said = suggest_path(path, settings)
    suggested = said.removeprefix("; did you mean ").removesuffix("?").split(" or ") if said else []
    for each in suggested:
        assert exists(each, settings)
        assert each.count(".") == path.count(".")
    if exists(path, settings):
        assert suggested == [path]


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("optimzer.lr", "; did you mean optimizer.lr?"),
        ("optimizer.rate", ""),
        ("optimizer.lr.rate", ""),
        ("dta.size_z", "; did you mean data.size_x or data.size_y?"),
    ],
)
def test_every_part_may_be_misspelled(path, said):
    assert suggest_path(path, {"optimizer": {"_target_": "x", "lr": 1}, "data": {"size_x": 1, "size_y": 2}}) == said


@pytest.mark.parametrize(
    ("option", "known", "said"),
    [
        ("cnov", ["conv", "mlp"], "; did you mean model=conv? There are conv, mlp"),
        ("zzz", ["conv", "mlp"], "; there are conv, mlp"),
        ("zzz", [], ""),
    ],
)
def test_options_are_suggested_as_they_are_typed(option, known, said):
    assert suggest_option("model", option, known) == said
