"""What a lesson shows: one picture, or several to step through, wherever the lesson runs."""

import itertools
import re
import sys
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from convexp.reporting.charts.chart import Chart, finish_chart
from convexp.reporting.charts.colours import page_variables
from convexp.reporting.charts.style import STYLE
from convexp.teaching.place import in_notebook

MIME = "application/vnd.convexp.picture+html"  # a picture without styles of its own, for a page that has them
PICTURES = Path("outputs/lessons/pictures")  # of a lesson that runs as a plain script
_counter = itertools.count(1)


def drawing(rows: int = 1, columns: int = 1, width: float = 7.2, height: float = 2.8, **settings: Any) -> tuple[Figure, Any]:
    """Return an empty figure and its axes in the style of convexp's charts, for light and dark pages.

    Args:
        rows: Rows of axes.
        columns: Columns of axes.
        width: Width in inches; 4.8 is still legible on a phone without scrolling.
        height: Height in inches.
        **settings: For ``Figure.subplots``, such as ``sharey=True``, ``squeeze=False``, ``width_ratios=...``.

    Returns:
        The figure; one ``Axes``, or an array of them, as ``Figure.subplots`` returns them.
    """
    mpl.rcParams |= STYLE
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(rows, columns, gridspec_kw={"width_ratios": settings.pop("width_ratios", None)}, **settings)


def show(figure: Figure, *, alt: str, caption: str) -> None:
    """Show a picture: in the page of the lessons, in a notebook, or, in a plain script, as a file that is named.

    Args:
        figure: A figure of ``drawing``.
        alt: What can be seen, with the main numbers, for readers who cannot see it.
        caption: How to read the picture.
    """
    chart = _chart(figure, alt, caption)
    _output(chart.inline(), alt, caption, [chart])


def step_through(figures: Sequence[Figure], labels: Sequence[str], *, alt: str, caption: str) -> None:
    """Show pictures of one size one at a time, such as a kernel that slides; a reader steps by mouse or arrow keys.

    Args:
        figures: Figures of ``drawing``, at most some twenty.
        labels: A word or two for each, such as ``"1"`` or ``"row 2, column 3"``.
        alt: What can be seen in all of them.
        caption: How to read them.

    Raises:
        ValueError: If there are not as many labels as figures.
    """
    charts = [_chart(figure, alt, caption) for figure in figures]
    group = charts[0].name
    buttons = "".join(
        f'<label><input type="radio" name="{group}"{" checked" if i == 0 else ""}><span>{escape(label)}</span>'
        f'<span class="frame" role="img" aria-label="{escape(f"{label}: {alt}")}">{chart.inline()}</span></label>'
        for i, (chart, label) in enumerate(zip(charts, labels, strict=True))
    )
    _output(f'<fieldset class="steps">{buttons}</fieldset>', alt, caption, charts)


def _chart(figure: Figure, alt: str, caption: str) -> Chart:
    return finish_chart(f"{_lesson()}-{next(_counter)}", "lesson", "", alt, caption, figure)


def _lesson() -> str:
    """The name of the script that runs; ``picture`` in a notebook."""
    file = getattr(sys.modules.get("__main__"), "__file__", None)
    return "picture" if in_notebook() or file is None else re.sub(r"\W+", "_", Path(file).stem)


def _output(content: str, alt: str, caption: str, charts: Sequence[Chart]) -> None:
    picture = f'<div class="drawn" role="img" aria-label="{escape(alt)}">{content}</div>' if len(charts) == 1 else content
    html = f'<figure class="picture">{picture}<figcaption>{escape(caption)}</figcaption></figure>'
    if in_notebook():
        from IPython.display import display  # pyright: ignore[reportMissingImports]

        display(
            {"text/html": f"<style>{_notebook_style()}</style>{html}", "text/plain": f"{alt}\n{caption}", MIME: html}, raw=True
        )
        return
    PICTURES.mkdir(parents=True, exist_ok=True)
    for chart in charts:
        print(f"{chart.save(PICTURES)[1]}: {caption}")  # noqa: T201  a lesson speaks to whoever runs it


def _notebook_style() -> str:
    """A white sheet, whatever the notebook's colours are."""
    style = (Path(__file__).parent / "picture.css").read_text(encoding="utf-8")
    light = page_variables().split("\n")[0].replace(":root", ".picture")
    return f"{style}{light}.picture{{background:#fff;color:#1d2025;--paper:#fff;padding:0.5rem}}"
