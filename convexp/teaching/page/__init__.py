"""The page of the lessons: one file that loads nothing, from the executed notebooks."""

from convexp.teaching.page.page import render

__all__ = ["render"]
