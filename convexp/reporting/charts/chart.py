"""A chart: a figure with its texts, as SVG in the page and as files."""

import io
import re
from dataclasses import dataclass
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from convexp.files.atomic import atomic_write
from convexp.reporting.charts.style import BACK, INK, PAPER

_TAG = re.compile(r"<[^>]*>")
_UNSAFE = re.compile(r"[^A-Za-z0-9]+")
_ID = re.compile(r'(\bid="|href="#|url\(#)')
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
    """

    name: str
    section: str
    title: str
    alt_text: str
    caption: str
    figure: Figure
    svg: str

    def inline(self) -> str:
        """Return SVG for use within a page: text and axes in the page's colours, and ids that no other chart has."""

        def adapt(tag: re.Match[str]) -> str:  # only tags are changed: the text between them is a label
            text = _ID.sub(rf"\g<1>{self.name}-", tag[0])
            return text.replace(INK, "currentColor").replace(PAPER, "var(--paper)").replace(BACK, "none")

        body = self.svg[self.svg.index("<svg") :]
        body = re.sub(r"<svg[^>]*viewBox=(\"[^\"]*\")[^>]*>", r"<svg viewBox=\1>", body, count=1)
        body = re.sub(r"<style[^>]*>.*?</style>", "", body, count=1, flags=re.DOTALL)
        return _TAG.sub(adapt, body)

    def save(self, folder: Path) -> list[Path]:
        """Write ``NAME.svg`` and ``NAME.png`` on a white background into ``folder`` and return both."""
        svg, png = folder / f"{self.name}.svg", folder / f"{self.name}.png"
        white = _TAG.sub(lambda tag: tag[0].replace(PAPER, "#ffffff").replace(BACK, "#ffffff"), self.svg)
        with atomic_write(svg) as partial:
            partial.write_text(white, encoding="utf-8")
        save_png(self.figure, png)
        return [svg, png]


def finish_chart(name: str, section: str, title: str, alt_text: str, caption: str, figure: Figure) -> Chart:
    """Lay out a figure, render it as SVG, and return the chart.

    ``name`` may contain names of settings and metrics; only its letters and digits are kept.
    """
    stream = io.StringIO()
    FigureCanvasSVG(figure).print_svg(stream, metadata=NO_METADATA)  # ``savefig`` would draw everything twice
    figure.set_layout_engine("none")  # keeps the layout for later renderings
    return Chart(_UNSAFE.sub("_", name)[:60].strip("_"), section, title, alt_text, caption, figure, stream.getvalue())


def save_png(figure: Figure, file: Path) -> None:
    """Write a figure as PNG on a white background, at 150 dots per inch."""
    figure.patch.set_facecolor("white")
    figure.set_dpi(DPI)
    options = {"compress_level": 3, "format": "png"}
    with atomic_write(file) as partial:
        FigureCanvasAgg(figure).print_png(partial, metadata={"Software": None}, pil_kwargs=options)
