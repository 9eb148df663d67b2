"""Reading ``metrics.csv``, the metrics of a run by step. Its folder may come from anybody."""

import csv
from pathlib import Path
from typing import Any

FILE = "metrics.csv"


def read_metrics(file: Path) -> list[dict[str, Any]]:
    """Read the rows of a ``metrics.csv``: ``step`` as a whole number, all else as text, which is empty where a row has none.

    Raises:
        OSError: If the file cannot be read.
        ValueError, csv.Error: If it is damaged.
    """
    if not file.is_file():  # reading a pipe would never end
        raise FileNotFoundError(f"{file.name} is missing")
    with file.open(newline="", encoding="utf-8") as opened:
        rows = list(csv.DictReader(opened))
    if any(None in row or None in row.values() or "step" not in row for row in rows):
        raise ValueError("its rows and its columns do not go together")
    return [{**row, "step": int(row["step"])} for row in rows]
