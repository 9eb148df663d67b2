"""Sheets of tiles: every tile keeps its pixels, and what is written covers none of them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sheets import framed

from convexp.pictures.colour_bar import LEVELS, PERCENT, colour_bar, map_colours
from convexp.pictures.lettering import fit, printable, width_of, wrap
from convexp.pictures.sheet import FRAME, PAPER, Sheet, enlarge, in_rows

few = settings(deadline=None, max_examples=25)
words = st.text(max_size=40)


def noise(rows: int, columns: int, height: int, width: int, seed: int = 0) -> np.ndarray:
    tiles = np.random.default_rng(seed).integers(0, 256, (rows, columns, height, width, 3), dtype=np.uint8)
    tiles[(tiles == FRAME).all(-1)] = 0
    return tiles


@few
@given(st.integers(1, 4), st.integers(1, 5), st.integers(2, 20), st.integers(2, 20), words, words, st.booleans())
def test_tiles_keep_their_pixels_whatever_is_written_around_them(rows, columns, height, width, title, name, captioned):
    tiles = noise(rows, columns, height, width)
    sheet = Sheet(
        tiles,
        title,
        title[::-1],
        rows=[name] * rows,
        columns=[name] * columns,
        row_title=name,
        column_title=title,
        captions=[[[name, title]] * columns] * rows if captioned else (),
        bar=colour_bar("viridis", PERCENT, title),
    )
    found = framed(sheet.draw())
    assert np.array_equal(np.array(found), tiles)


def test_without_names_there_is_only_a_title():
    tiles = noise(2, 3, 8, 8)
    plain, named = (Sheet(tiles, title).draw() for title in ("", "Kernels"))
    assert (plain != PAPER).sum() < (named != PAPER).sum()
    assert np.array_equal(np.array(framed(plain)), np.array(framed(named)))


def test_what_is_written_is_seen():
    """Every word adds ink, where the others are."""
    tiles = noise(1, 2, 30, 30)
    words = {
        "note": "a note",
        "rows": ["row"],
        "columns": ["a", "b"],
        "row_title": "channel",
        "column_title": "location",
        "captions": [[["one"], ["two"]]],
        "numbers": [["1", "2"]],
    }
    without = (Sheet(tiles, "title").draw() < 128).sum()
    for part, text in words.items():
        drawn = Sheet(tiles, "title", **{part: text}).draw()
        assert (drawn < 128).sum() > without or part == "numbers", part
    assert not np.array_equal(np.array(framed(Sheet(tiles, "", numbers=[["1", "2"]]).draw())), tiles)


def test_few_colours_make_a_small_file():
    values = np.random.default_rng(0).random((4, 4, 9, 9))
    sheet = Sheet(map_colours(values, "RdBu_r"), "title", "note", bar=colour_bar("RdBu_r", PERCENT, "weight"))
    assert len(np.unique(sheet.draw().reshape(-1, 3), axis=0)) <= 256


def test_the_middle_of_a_colour_map_is_one_of_its_colours():
    assert LEVELS % 2 == 1
    assert map_colours(np.array([0.5]), "RdBu_r").min() > 240  # white
    low, high = map_colours(np.array([0.0, 1.0]), "RdBu_r")
    assert low[2] > low[0]  # blue
    assert high[0] > high[2]  # red
    assert map_colours(np.array([np.nan]), "RdBu_r").tolist() == [[200] * 3]


@given(st.integers(1, 12), st.integers(1, 5))
def test_rows_hold_all_tiles_in_order(count, columns):
    tiles = noise(1, count, 3, 4)[0]
    arranged = in_rows(tiles, columns)
    assert arranged.shape[:2] == (-(-count // columns), columns)
    assert np.array_equal(arranged.reshape(-1, 3, 4, 3)[:count], tiles)
    found = [tile for row in framed(Sheet(arranged, "", count=count).draw()) for tile in row]
    assert len(found) == count


@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 64))
def test_enlarged_tiles_are_whole_multiples(height, width, side):
    tile = noise(1, 1, height, width)[0, 0]
    large = enlarge(tile, side)
    factor = large.shape[0] // height
    assert large.shape == (factor * height, factor * width, 3)
    assert np.array_equal(large[::factor, ::factor], tile)
    assert max(large.shape[:2]) <= max(side, height, width)


@few
@given(st.text(max_size=60), st.integers(20, 200))
def test_texts_fit(text, width):
    assert width_of(fit(text, width)) <= width
    assert " ".join(wrap(text, width)).split() == printable(text).split()
    for line in wrap(text, width):
        assert " " not in line or width_of(line) <= width


@pytest.mark.parametrize("name", ["T-shirt/top", "a class\nof two lines", "鸟", "\x00\x1b[31m", "x" * 10_000])
def test_any_name_of_a_class_can_be_drawn(name):
    drawn = Sheet(noise(1, 1, 20, 20), "title", rows=[name], columns=[name], captions=[[[name]]]).draw()
    assert framed(drawn)
