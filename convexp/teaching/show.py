"""What a lesson shows: one picture, or several to step through, wherever the lesson runs."""

import base64
import itertools
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from convexp.reporting.charts.chart import Chart, finish_chart
from convexp.reporting.charts.style import STYLE
from convexp.teaching.place import in_notebook, lesson_name

MIME = "application/vnd.convexp.picture+html"  # a picture without styles of its own, for a page that has them
PICTURES = Path("outputs/lessons/pictures")  # of a lesson that runs as a plain script
PHONE = 5.0  # inches; a wider picture is scrolled on a phone
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
    mpl.rcParams |= STYLE | {"image.interpolation": "none"}  # the pixels of an image stay sharp squares at any size
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
    _output(_drawn(chart, alt), _image(chart, alt), alt, caption, [chart])


def step_through(figures: Sequence[Figure], labels: Sequence[str], *, alt: str, caption: str) -> None:
    """Show pictures of one size one at a time, such as a kernel that slides; a reader steps by mouse or arrow keys.

    Args:
        figures: Figures of ``drawing``, at most some twenty.
        labels: A word or two for each, such as ``"1"`` or ``"row 2, column 3"``.
        alt: What can be seen in all of them.
        caption: How to read them.

    Raises:
        ValueError: If there are not as many labels as figures, or none.
    """
    if not figures:
        raise ValueError("there are no figures to step through")
    charts = [_chart(figure, alt, caption) for figure in figures]
    steps = list(zip(charts, labels, strict=True))
    alts = [f"{label}: {alt}" for label in labels]
    drawn = [_drawn(chart, each) for chart, each in zip(charts, alts, strict=True)]
    images = [_image(chart, each) for chart, each in zip(charts, alts, strict=True)]
    _output(_steps(steps, drawn), _steps(steps, images), alt, caption, charts)


def _chart(figure: Figure, alt: str, caption: str) -> Chart:
    return finish_chart(f"{lesson_name()[:40]}-{next(_counter)}", "lesson", "", alt, caption, figure)


def _drawn(chart: Chart, alt: str) -> str:
    """A picture in the page's colours. Nothing is wider than it was drawn, and little of it is smaller on a phone."""
    width = chart.figure.get_figwidth()
    scrolled = ' tabindex="0"' if width > PHONE else ""  # the keyboard can scroll it
    return (
        f'<div class="drawn" style="--inches:{width:.2f}" role="img" aria-label="{escape(alt)}"{scrolled}>'
        f"{chart.inline()}</div>"
    )


def _image(chart: Chart, alt: str) -> str:
    """A picture on a white sheet, for notebooks: they remove drawings within the text that they do not trust, but no images."""
    data = base64.b64encode(chart.on_white().encode()).decode()
    width = round(96 * chart.figure.get_figwidth())
    return f'<img alt="{escape(alt)}" width="{width}" src="data:image/svg+xml;base64,{data}">'


def _steps(steps: Sequence[tuple[Chart, str]], pictures: Sequence[str]) -> str:
    """Pictures of which one is seen: that whose button is pressed. The arrow keys press the next one."""
    group = f"steps-{steps[0][0].name}"
    parts = (
        f'<input type="radio" name="{group}" id="{group}-{i}"{"" if i else " checked"}>'
        f'<label for="{group}-{i}">{escape(label)}</label><div class="step">{picture}</div>'
        for i, ((_, label), picture) in enumerate(zip(steps, pictures, strict=True))
    )
    return f'<fieldset class="steps"><legend>Step</legend>{"".join(parts)}</fieldset>'


def _output(drawn: str, image: str, alt: str, caption: str, charts: Sequence[Chart]) -> None:
    if in_notebook():
        from IPython.display import display  # pyright: ignore[reportMissingImports]

        style = (Path(__file__).parent / "picture.css").read_text(encoding="utf-8")
        text = f"{alt}\n{caption}"
        display(
            {
                "text/html": f"<style>{style}</style>{_figure(image, caption)}",
                "text/plain": text,
                MIME: _figure(drawn, caption),
            },
            raw=True,
        )
        return
    PICTURES.mkdir(parents=True, exist_ok=True)
    files = [chart.save(PICTURES)[1] for chart in charts]
    named = str(files[0]) if len(files) == 1 else f"{files[0]} to {files[-1].name}"
    print(f"{named}: {caption}")  # noqa: T201  a lesson speaks to whoever runs it


def _figure(content: str, caption: str) -> str:
    return f'<figure class="picture">{content}<figcaption>{escape(caption)}</figcaption></figure>'
