"""A chart: a figure, what it shows in words, and its files."""

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
_NAMED = re.compile(r'(\bid="|href="#|url\(#)')
NOTHING = {"Date": None, "Creator": None, "Format": None, "Type": None}
DPI = 150


@dataclass(frozen=True)
class Chart:
    """Drawn once, saved as often as needed.

    Attributes:
        name: of its files, and of its place in the page.
        section: of the page that it stands in.
        title: above it.
        words: what it shows, with the main numbers, for those who cannot see it.
        caption: how to read it, and what it leaves out.
        figure: matplotlib's.
        svg: the figure as SVG, in the colours of ``style``.
    """

    name: str
    section: str
    title: str
    words: str
    caption: str
    figure: Figure
    svg: str

    def inline(self) -> str:
        """SVG to stand in a page: text and axes in the page's own colour, ids that no other chart has."""

        def adapt(tag: re.Match[str]) -> str:  # tags only: what stands between them is a label
            text = _NAMED.sub(rf"\g<1>{self.name}-", tag[0])
            return text.replace(INK, "currentColor").replace(PAPER, "var(--paper)").replace(BACK, "none")

        body = self.svg[self.svg.index("<svg") :]
        body = re.sub(r"<svg[^>]*viewBox=(\"[^\"]*\")[^>]*>", r"<svg viewBox=\1>", body, count=1)
        body = re.sub(r"<style[^>]*>.*?</style>", "", body, count=1, flags=re.DOTALL)
        return _TAG.sub(adapt, body)

    def save(self, folder: Path) -> list[Path]:
        """``NAME.svg`` and ``NAME.png`` on white."""
        svg, png = folder / f"{self.name}.svg", folder / f"{self.name}.png"
        white = _TAG.sub(lambda tag: tag[0].replace(PAPER, "#ffffff").replace(BACK, "#ffffff"), self.svg)
        with atomic_write(svg) as partial:
            partial.write_text(white, encoding="utf-8")
        save_png(self.figure, png)
        return [svg, png]


def chart(name: str, section: str, title: str, words: str, caption: str, figure: Figure) -> Chart:
    """Finish a chart: lay it out once, and write it as SVG.

    Of ``name``, which may hold names of settings and metrics, only letters and digits are kept.
    """
    stream = io.StringIO()
    FigureCanvasSVG(figure).print_svg(stream, metadata=NOTHING)  # as savefig, which draws everything twice
    figure.set_layout_engine("none")  # the layout stays as it is
    return Chart(_UNSAFE.sub("_", name)[:60].strip("_"), section, title, words, caption, figure, stream.getvalue())


def save_png(figure: Figure, file: Path) -> None:
    """A figure on white, at 150 dots per inch."""
    figure.patch.set_facecolor("white")
    figure.set_dpi(DPI)
    options = {"compress_level": 3, "format": "png"}
    with atomic_write(file) as partial:
        FigureCanvasAgg(figure).print_png(partial, metadata={"Software": None}, pil_kwargs=options)
