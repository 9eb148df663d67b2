"""Text on pictures made of pixels: fonts, widths, lines that fit."""

from functools import cache
from pathlib import Path

from PIL import ImageFont

NAME, TITLE = 12, 14  # sizes in pixels
LINE = 16  # from one line of text to the next, in pixels


@cache
def font(size: int = NAME, bold: bool = False) -> ImageFont.FreeTypeFont:
    """Return the font DejaVu Sans, which comes with matplotlib."""
    import matplotlib  # late: a run draws only after its training

    file = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"DejaVuSans{'-Bold' if bold else ''}.ttf"
    return ImageFont.truetype(str(file), size, layout_engine=ImageFont.Layout.BASIC)


def width_of(text: str, size: int = NAME, bold: bool = False) -> int:
    """Return the width of a line of text, in pixels."""
    return round(font(size, bold).getlength(text) + 0.5)


def printable(text: str) -> str:
    """Return a text with spaces in place of line breaks and of what no font has a letter for."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def fit(text: str, width: int, size: int = NAME) -> str:
    """Return a text on one line, with its end replaced by … where it is wider than ``width`` pixels."""
    line = printable(text[:200]).strip()
    if width_of(line, size) <= width:
        return line
    while line and width_of(f"{line}…", size) > width:
        line = line[:-1]
    return f"{line.rstrip()}…"


def wrap(text: str, width: int, size: int = NAME, bold: bool = False) -> list[str]:
    """Return the lines of a text, each at most ``width`` pixels wide unless a word alone is wider."""
    lines: list[str] = []
    for word in filter(None, printable(text).split(" ")):
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and width_of(longer, size, bold) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines
