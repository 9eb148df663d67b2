"""Notebooks of lessons: made from the scripts, written whole or not at all, and never over what somebody has edited."""

import hashlib
from pathlib import Path
from typing import Any

from convexp.files.atomic import atomic_write
from convexp.teaching.catalogue import Lesson

KEY = "convexp"  # of the metadata
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}


def new_notebook(lesson: Lesson) -> Any:
    """Return a lesson as a notebook (``nbformat.NotebookNode``) without outputs; the same script gives the same notebook."""
    import jupytext

    notebook = jupytext.reads(lesson.text(), fmt="py:percent")
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number}"
        cell.metadata.clear()
    notebook.metadata.clear()
    notebook.metadata |= {"kernelspec": KERNEL, KEY: {"lesson": lesson.name, "cells": _digest(notebook)}}
    return notebook


def write_notebook(notebook: Any, file: Path) -> Path | None:
    """Write a notebook; one that somebody has edited is renamed first.

    Returns:
        The new name of the edited notebook that was there; None if there was none.

    Raises:
        OSError: If it cannot be written.
    """
    import nbformat

    kept = _keep_edited(file)
    with atomic_write(file) as partial:
        partial.write_text(nbformat.writes(notebook), encoding="utf-8")
    return kept


def stored_notebook(lesson: Lesson, file: Path) -> Any | None:
    """Return the notebook of an earlier call, if it has the lesson's cells of today and ran to its end."""
    notebook = _read(file)
    if notebook is None or KEY not in notebook.metadata or _digest(notebook) != _digest(new_notebook(lesson)):
        return None
    failed = any(output.output_type == "error" for cell in notebook.cells for output in cell.get("outputs", ()))
    return notebook if notebook.metadata[KEY].get("finished") and not failed else None


def mark_finished(notebook: Any) -> None:
    """Note in a notebook that it ran to its end."""
    notebook.metadata[KEY]["finished"] = True


def _read(file: Path) -> Any | None:
    """The notebook in a file; None if there is none, or it is damaged."""
    import nbformat

    try:
        notebook: Any = nbformat.reads(file.read_text(encoding="utf-8"), as_version=4)
        nbformat.validate(notebook)
    except (OSError, ValueError, nbformat.ValidationError):
        return None
    return notebook


def _keep_edited(file: Path) -> Path | None:
    if not file.exists():
        return None
    found = _read(file)
    if found is not None and found.metadata.get(KEY, {}).get("cells") == _digest(found):
        return None
    names = (file.with_name(f"{file.stem}.edited{number or ''}.ipynb") for number in range(10**6))
    return file.replace(next(name for name in names if not name.exists()))


def _digest(notebook: Any) -> str:
    """A number that stands for the kinds and texts of the cells, whatever they have put out."""
    text = repr([(cell.cell_type, cell.source) for cell in notebook.cells])
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:16]
