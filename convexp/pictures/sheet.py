"""Tiles in rows and columns, with all that explains them: title, names, captions, numbers and a colour bar.

Tiles keep their pixels, so that a weight stays a square of one colour. Drawing takes milliseconds, as every run draws some.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from convexp.pictures.colour_bar import ColourBar, Pixels
from convexp.pictures.lettering import LINE, NAME, TITLE, fit, font, width_of, wrap

FRAME = (150, 157, 166)  # colour of the line around a tile, which nothing else on a sheet has
PAPER, INK, MUTED = 255, 32, 96
SHADES = 17  # steps between the greys of letters: few colours make a small file
PAD, GAP, BAR = 10, 6, (220, 12)
NARROWEST = 380  # a sheet is at least as wide, so that its title has room
LONGEST_NAME = 150  # of a row


@dataclass(frozen=True)
class Sheet:
    """A picture of tiles that explains itself.

    Attributes:
        tiles: The tiles, ``(rows, columns, h, w, 3)`` uint8.
        title: What the picture shows.
        note: How to read it, in smaller letters below the title.
        rows: Name of each row; none if empty.
        columns: Name of each column; none if empty.
        row_title: What rows are.
        column_title: What columns are.
        captions: Lines of text below each tile, by row and column. A tile without any is not drawn where ``count`` ends.
        numbers: A short text within each tile, by row and column.
        bar: What the colours mean; None if the tiles are photographs.
        gap: Pixels between tiles; with 0 they touch and have no frame.
        count: Number of tiles, row by row, if the last row is not full.
    """

    tiles: Pixels
    title: str
    note: str = ""
    rows: Sequence[str] = ()
    columns: Sequence[str] = ()
    row_title: str = ""
    column_title: str = ""
    captions: Sequence[Sequence[Sequence[str]]] = ()
    numbers: Sequence[Sequence[str]] = ()
    bar: ColourBar | None = None
    gap: int = GAP
    count: int | None = None

    def draw(self) -> Pixels:
        """Return the picture, ``(H, W, 3)`` uint8."""
        return _Drawing(self).pixels()


class _Drawing:
    """A sheet while it is drawn: where its parts lie, in pixels from the top left corner."""

    def __init__(self, sheet: Sheet) -> None:
        self.sheet = sheet
        n_rows, n_columns, height, width, _ = sheet.tiles.shape
        names = [width_of(fit(name, LONGEST_NAME)) for name in sheet.rows]
        self.left = PAD + (max([*names, width_of(sheet.row_title)]) + GAP if names else 0)
        lines = max((len(lines) for row in sheet.captions for lines in row), default=0)
        self.step = (height + sheet.gap + lines * LINE, width + sheet.gap)
        right = self.left + n_columns * self.step[1] - sheet.gap
        bar_end = self.left + max(BAR[0], width_of(sheet.bar.label)) if sheet.bar else 0
        self.width = max(right, self.left + width_of(sheet.column_title), bar_end, NARROWEST - PAD) + PAD
        room = self.width - 2 * PAD
        self.title, self.note = wrap(sheet.title, room, TITLE, bold=True), wrap(sheet.note, room)
        head = PAD + (len(self.title) + len(self.note)) * LINE + GAP
        self.top = head + LINE * bool(sheet.column_title) + (LINE + 2) * bool(sheet.columns or sheet.row_title)
        self.below = self.top + n_rows * self.step[0] - sheet.gap + GAP
        bar = 2 * LINE + BAR[1] + GAP + 2 if sheet.bar else 0
        text = Image.new("L", (self.width, self.below + bar + PAD - GAP), PAPER)
        self.pen = ImageDraw.Draw(text)
        self._write()
        greys = np.asarray(text).astype(np.uint16)
        greys = ((greys + SHADES // 2) // SHADES * SHADES).clip(0, 255).astype(np.uint8)
        self.canvas = np.repeat(greys[..., None], 3, axis=2)

    def corner(self, row: int, column: int) -> tuple[int, int]:
        """The first pixel of a tile: from the top, from the left."""
        return self.top + row * self.step[0], self.left + column * self.step[1]

    def pixels(self) -> Pixels:
        """Paste the tiles and the bar between the texts."""
        height, width = self.sheet.tiles.shape[2:4]
        for row, column in self._places():
            top, left = self.corner(row, column)
            if self.sheet.gap:
                self.canvas[top - 1 : top + height + 1, left - 1 : left + width + 1] = FRAME
            self.canvas[top : top + height, left : left + width] = self.sheet.tiles[row, column]
        if self.sheet.bar:
            colours = self.sheet.bar.colours
            stretched = colours[np.arange(BAR[0]) * len(colours) // BAR[0]]
            top = self.below + LINE + 2
            self.canvas[top : top + BAR[1], self.left : self.left + BAR[0]] = stretched
        return self._with_numbers()

    def _places(self) -> list[tuple[int, int]]:
        rows, columns = self.sheet.tiles.shape[:2]
        places = [(row, column) for row in range(rows) for column in range(columns)]
        return places[: self.sheet.count]

    def _write(self) -> None:
        sheet, at = self.sheet, PAD
        for lines, size, bold in ((self.title, TITLE, True), (self.note, NAME, False)):
            for line in lines:
                self.pen.text((PAD, at), line, INK if bold else MUTED, font(size, bold))
                at += LINE
        if sheet.column_title:
            self.pen.text((self.left, at + GAP), sheet.column_title, MUTED, font())
        if sheet.row_title:
            self.pen.text((PAD, self.top - LINE - 2), sheet.row_title, MUTED, font())
        self._write_names()
        self._write_captions()
        self._write_bar()

    def _write_names(self) -> None:
        height, width = self.sheet.tiles.shape[2:4]
        for row, name in enumerate(self.sheet.rows):
            place = (self.left - GAP, self.corner(row, 0)[0] + height // 2)
            self.pen.text(place, fit(name, LONGEST_NAME), INK, font(), anchor="rm")
        names = [fit(name, LONGEST_NAME) for name in self.sheet.columns]
        widest = max((width_of(name) for name in names), default=0)
        every = max(1, -(-(widest + 4) // self.step[1]))  # a name that has no room is left out
        for column, name in enumerate(names):
            if column % every == 0:
                self.pen.text((self.corner(0, column)[1] + width // 2, self.top - 4), name, INK, font(), anchor="ms")

    def _write_captions(self) -> None:
        height, width = self.sheet.tiles.shape[2:4]
        every = [lines for row in self.sheet.captions for lines in row]
        for (row, column), lines in zip(self._places(), every, strict=False):
            top, left = self.corner(row, column)
            for number, line in enumerate(lines):
                place = (left + width // 2, top + height + 3 + number * LINE)
                self.pen.text(place, fit(line, self.step[1] - 2), MUTED if number else INK, font(), anchor="ma")

    def _write_bar(self) -> None:
        bar = self.sheet.bar
        if bar is None:
            return
        self.pen.text((self.left, self.below), bar.label, MUTED, font())
        for place, text in bar.ticks:
            half = width_of(text) / 2
            middle = self.left + min(max(place * BAR[0], half), max(BAR[0] - half, half))
            self.pen.text((middle, self.below + LINE + BAR[1] + 5), text, INK, font(), anchor="ma")

    def _with_numbers(self) -> Pixels:
        if not self.sheet.numbers:
            return self.canvas
        picture = Image.fromarray(self.canvas)
        pen, (height, width) = ImageDraw.Draw(picture), self.sheet.tiles.shape[2:4]
        for row, column in self._places():
            top, left = self.corner(row, column)
            bright = float(self.sheet.tiles[row, column].mean()) > 140
            place = (left + width / 2, top + height / 2)
            pen.text(place, self.sheet.numbers[row][column], (20,) * 3 if bright else (255,) * 3, font(), anchor="mm")
        return np.array(picture)


def enlarge(tiles: Pixels, side: int) -> Pixels:
    """Enlarge tiles ``(..., h, w, 3)`` by a whole factor, so that they are about ``side`` pixels wide or high."""
    factor = max(1, side // max(tiles.shape[-3:-1]))
    return tiles.repeat(factor, -3).repeat(factor, -2)


def in_rows(tiles: Pixels, columns: int) -> Pixels:
    """Arrange tiles ``(n, h, w, 3)`` in rows, ``(rows, columns, h, w, 3)``, with white ones at the end of the last row."""
    rows = -(-len(tiles) // columns)
    missing = np.full((rows * columns - len(tiles), *tiles.shape[1:]), PAPER, np.uint8)
    return np.concatenate((tiles, missing)).reshape(rows, columns, *tiles.shape[1:])
