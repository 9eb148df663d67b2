"""Bars of 100 per cent: a part is as wide as its share, in every bar, and what is written hides none of them."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib import colormaps

from convexp.pictures.stacked_bars import BAR, GAP, largest_parts, stacked_bars

few = settings(deadline=None, max_examples=25)
parts = st.dictionaries(st.text(max_size=30), st.floats(0.01, 1), min_size=1, max_size=10)
COLOURS = (255 * np.array(colormaps["tab10"].colors)).round().astype(np.uint8)  # (10, 3)


def coloured(line: np.ndarray) -> np.ndarray:
    """Which pixels of a line have which of the colours: (W, colours)."""
    return (line[:, None] == COLOURS).all(-1)


def widths_of_bars(picture: np.ndarray, bars: int) -> np.ndarray:
    """The pixels of each colour in the first line of each bar, from the top bar to the last: (bars, colours)."""
    first = next(at for at, line in enumerate(picture) if coloured(line).sum() >= BAR[0])
    left = np.flatnonzero(coloured(picture[first]).any(1))[0]
    lines = picture[first :: BAR[1] + GAP, left : left + BAR[0]][:bars]
    return np.stack([coloured(line).sum(0) for line in lines])


def shares(of: dict[str, float]) -> dict[str, float]:
    return {part: value / sum(of.values()) for part, value in of.items()}


@few
@given(st.lists(parts, min_size=1, max_size=3), st.text(max_size=40))
def test_a_part_is_as_wide_as_its_share(rows, title):
    names = list(dict.fromkeys(part for row in rows for part in row))[:10]
    drawn = {f"row {i}": shares({name: row.get(name, 0.5) for name in names}) for i, row in enumerate(rows)}
    found = widths_of_bars(stacked_bars(drawn, title), len(rows))
    wanted = BAR[0] * np.array([[row[name] for name in names] for row in drawn.values()])
    assert np.all(found.sum(1) == BAR[0])
    assert np.all(abs(found[:, : len(names)] - wanted) < 1.01)  # each end is rounded


@few
@given(st.lists(parts, min_size=1, max_size=4), st.integers(1, 6))
def test_small_parts_are_drawn_as_one_and_nothing_is_lost(rows, most):
    given_rows = {f"row {i}": shares(row) for i, row in enumerate(rows)}
    found = largest_parts(given_rows, most)
    names = {part for row in found.values() for part in row}
    assert len(names) <= most or not any(name.endswith(" others") for name in names)
    for name, row in found.items():
        assert np.isclose(sum(row.values()), 1)
        assert all(row[part] == given_rows[name][part] for part in row if part in given_rows[name])


def test_a_picture_of_nothing_has_a_title_and_an_axis():
    assert stacked_bars({}, "no layers").shape[0] > 0
