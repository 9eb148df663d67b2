import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.colors import to_rgb
from matplotlib.patches import Rectangle

from convexp.teaching import drawing, numbers_in_cells

SIDES = st.integers(1, 4)


def frames(axes):
    return [
        (*p.get_xy(), p.get_width(), p.get_height()) for p in axes.patches if isinstance(p, Rectangle) and p.get_zorder() == 3
    ]


def luminance(colour):
    return sum(
        w * (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4)
        for w, c in zip((0.2126, 0.7152, 0.0722), colour, strict=True)
    )


@settings(max_examples=20, deadline=None)
@given(rows=SIDES, columns=SIDES, seed=st.integers(0, 99))
def test_every_number_stands_in_its_cell_and_an_unknown_one_leaves_it_empty(rows, columns, seed):
    values = np.random.default_rng(seed).integers(-9, 10, (rows, columns)).astype(float)
    values[0, 0] = np.nan
    _, axes = drawing()
    numbers_in_cells(axes, values)
    texts = axes.texts
    assert len(axes.patches) == rows * columns
    assert len(texts) == rows * columns - 1
    for text in texts:
        column, row = text.get_position()
        assert float(text.get_text()) == values[row, column]
        assert text.get_text() != "-0"


@pytest.mark.parametrize("colours", ["RdBu_r", "cividis"])
def test_numbers_can_be_read_on_every_colour(colours):
    _, axes = drawing()
    numbers_in_cells(axes, np.linspace(-1, 1, 41), colours=colours)
    for text, cell in zip(axes.texts, axes.patches, strict=True):
        dark, bright = sorted(luminance(to_rgb(c)) + 0.05 for c in (text.get_color(), cell.get_facecolor()[:3]))
        assert bright / dark >= 4.5


def test_signed_colours_have_their_middle_at_zero():
    _, axes = drawing()
    numbers_in_cells(axes, [[-1.0, 0.0, 4.0]], colours="RdBu_r")
    assert min(axes.patches[1].get_facecolor()) > 0.95


def test_marked_cells_have_one_frame_if_they_form_a_rectangle_and_else_each_its_own():
    _, (whole, apart) = drawing(1, 2)
    numbers_in_cells(whole, np.zeros((3, 3)), marked=[(0, 1), (0, 2), (1, 1), (1, 2)])
    numbers_in_cells(apart, np.zeros((3, 3)), marked=[(0, 0), (2, 2)])
    assert frames(whole) == [(0.5, -0.5, 2, 2)]
    assert frames(apart) == [(-0.5, -0.5, 1, 1), (1.5, 1.5, 1, 1)]


def test_values_of_three_dimensions_are_refused():
    with pytest.raises(ValueError, match=r"values of shape \(1, 1, 1\)"):
        numbers_in_cells(drawing()[1], [[[1]]])
