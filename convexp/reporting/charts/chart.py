"""A chart: a figure with its texts, as SVG in the page and as files."""

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from convexp.files.atomic import atomic_write
from convexp.reporting.charts.colours import LIGHT, page_colour
from convexp.reporting.charts.marks import Mark, overlay
from convexp.reporting.charts.style import BACK, INK, PAPER

_TAG = re.compile(r"<[^>]*>")
_UNSAFE = re.compile(r"[^A-Za-z0-9]+")
_ID = re.compile(r'(\bid="|href="#|url\(#)')
_IMAGE_ID = re.compile(r'(?<=<image)([^>]*) id="[^"]*"')  # that of its pixels, which equal images have in common
_KEYS = re.compile(r' id="keys ([^"]*)"')  # many elements may show one series, so that it is no id
_PICK = re.compile(r' id="pick [^"]*"')
_SERIES = re.compile("|".join(LIGHT.values()))
DOTS = 72  # per inch, in which SVG is drawn
NO_METADATA = {"Date": None, "Creator": None, "Format": None, "Type": None}
DPI = 150


@dataclass(frozen=True)
class Chart:
    """A chart that is drawn once and can be saved any number of times.

    Attributes:
        name: Name of its files, and its id in the page.
        section: Section of the page in which it stands.
        title: Title above the chart.
        alt_text: What the chart shows, with the main numbers, for readers who cannot see it.
        caption: How to read the chart, and what it leaves out.
        figure: Figure of matplotlib.
        svg: The figure as SVG, in the colours of ``convexp.reporting.charts.style``.
        extra: SVG that only a page has: points with their numbers, and labels that can be pressed.
    """

    name: str
    section: str
    title: str
    alt_text: str
    caption: str
    figure: Figure
    svg: str
    extra: str = ""

    def inline(self) -> str:
        """Return SVG for use within a page, with ids that no other chart has.

        Text and axes have the page's colours, and series those that the page has for them (``page_variables``).
        """

        def adapt(tag: re.Match[str]) -> str:  # only tags are changed: the text between them is a label
            text = _ID.sub(rf"\g<1>{self.name}-", _IMAGE_ID.sub(r"\1", tag[0]))
            text = _SERIES.sub(lambda colour: page_colour(colour[0]), text)
            return text.replace(INK, "currentColor").replace(PAPER, "var(--paper)").replace(BACK, "none")

        body = self.svg[self.svg.index("<svg") :]
        body = re.sub(r"<svg[^>]*viewBox=(\"[^\"]*\")[^>]*>", r"<svg viewBox=\1>", body, count=1)
        body = re.sub(r"<style[^>]*>.*?</style>", "", body, count=1, flags=re.DOTALL)
        return _TAG.sub(adapt, body).replace("</svg>", f"{self.extra}</svg>")

    def on_white(self) -> str:
        """Return SVG for use as an image of its own, on a white background."""
        return _TAG.sub(lambda tag: tag[0].replace(PAPER, "#ffffff").replace(BACK, "#ffffff"), self.svg)

    def save(self, folder: Path) -> list[Path]:
        """Write ``NAME.svg`` and ``NAME.png`` on a white background into ``folder`` and return both."""
        svg, png = folder / f"{self.name}.svg", folder / f"{self.name}.png"
        with atomic_write(svg) as partial:
            partial.write_text(self.on_white(), encoding="utf-8")
        save_png(self.figure, png)
        return [svg, png]


def finish_chart(
    name: str, section: str, title: str, alt_text: str, caption: str, figure: Figure, marks: Sequence[Mark] = ()
) -> Chart:
    """Lay out a figure, render it as SVG, and return the chart.

    ``name`` may contain names of settings and metrics; only its letters and digits are kept.
    """
    stream = io.StringIO()
    figure.set_dpi(DOTS)
    FigureCanvasSVG(figure).print_svg(stream, metadata=NO_METADATA)  # ``savefig`` would draw everything twice
    extra = overlay(figure, marks)
    figure.set_layout_engine("none")  # keeps the layout for later renderings
    svg = _PICK.sub("", _KEYS.sub(r' data-keys="\1"', stream.getvalue()))
    return Chart(_UNSAFE.sub("_", name)[:60].strip("_"), section, title, alt_text, caption, figure, svg, extra)


def save_png(figure: Figure, file: Path) -> None:
    """Write a figure as PNG on a white background, at 150 dots per inch."""
    figure.patch.set_facecolor("white")
    figure.set_dpi(DPI)
    options = {"compress_level": 3, "format": "png"}
    with atomic_write(file) as partial:
        FigureCanvasAgg(figure).print_png(partial, metadata={"Software": None}, pil_kwargs=options)
