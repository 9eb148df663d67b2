"""Lessons: scripts in cells that run, draw and assert what they say. What they show goes to a page, a notebook or a file.

A lesson imports from here only how to draw and show; what it is about comes from ``convexp.layers``, ``convexp.probes`` and the
commands.
"""

from convexp.teaching.mistakes import in_one_line
from convexp.teaching.numbers_in_cells import numbers_in_cells
from convexp.teaching.run_argument import given_run
from convexp.teaching.show import drawing, show, step_through
from convexp.teaching.tiles import tile, tiles

__all__ = ["drawing", "given_run", "in_one_line", "numbers_in_cells", "show", "step_through", "tile", "tiles"]
