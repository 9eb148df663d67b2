"""The page (report.html): one file that shows a whole report and loads nothing from the network."""

from convexp.reporting.render.html.page import write_page

__all__ = ["write_page"]
