"""The playground: a part of a page in which visitors move an image and trained networks answer. It depends on no report."""

from convexp.reporting.render.html.playground.section import Section, playground_html

__all__ = ["Section", "playground_html"]
