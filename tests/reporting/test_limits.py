"""Limits of axes: what is drawn lies within, and little is not made to look like much."""

from hypothesis import given
from hypothesis import strategies as st

from convexp.pictures.limits import FLOOR, percent_limits
from convexp.reporting.charts.words import without_common_words

proportions = st.lists(st.floats(0, 1), min_size=1, max_size=8)


@given(proportions)
def test_limits_hold_all_values_and_are_not_narrow(values):
    low, high = percent_limits(values)
    assert low < 100 * min(values)
    assert 100 * max(values) < high
    assert high - low >= FLOOR - 1e-9
    assert low >= -5
    assert high <= 105


def test_a_tenth_of_a_point_is_not_stretched():
    low, high = percent_limits([0.996, 0.999])
    assert low < 91
    assert high < 101


@given(
    st.lists(
        st.lists(st.sampled_from(["conv", "a=1", "b=2", "c=3"]), min_size=1, max_size=3, unique=True).map(sorted),
        min_size=1,
        max_size=5,
    )
)
def test_only_words_of_all_labels_are_left_out(words):
    labels = [" ".join(each) for each in words]
    short = without_common_words(labels)
    assert len(short) == len(labels)
    assert all(short)
    assert len(set(short)) == len(set(labels))
    for label, left in zip(labels, short, strict=True):
        assert set(left.split()) <= set(label.split())
