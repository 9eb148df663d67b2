"""Tables of the errors of each group, read from the records of its runs: confusion, right answers by class and shift."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import msgspec

from convexp.errors import ConvexpError
from convexp.records.damage import DamagedError
from convexp.records.record_file import load_record
from convexp.records.settings import printable
from convexp.reporting.groups import Group
from convexp.reporting.selection import evenly_spaced
from convexp.terminal.words import plural

PROBE = "errors"
MEASURED = f"probe/{PROBE}/accuracy"  # the number that every run with this probe has
MAX_GROUPS, MAX_RUNS = 12, 20  # whose records are read
MAX_CLASSES, MAX_SHIFTS, MAX_COUNT = 64, 64, 10**12
TOO_LARGE = f"has more than {MAX_CLASSES} classes, or shifts of more than {MAX_SHIFTS // 2 - 1} pixels: too many for a page"

Count = Annotated[int, msgspec.Meta(ge=0, le=MAX_COUNT)]
Row = Annotated[list[Count], msgspec.Meta(min_length=1, max_length=MAX_CLASSES)]
Matrix = Annotated[list[Row], msgspec.Meta(min_length=1, max_length=MAX_CLASSES)]
ShiftMap = Annotated[list[Row], msgspec.Meta(min_length=1, max_length=MAX_SHIFTS)]


class Counts(msgspec.Struct):
    """What the probe counted in one run, or in several together.

    Attributes:
        classes: Name of each row.
        confusion: Images by true class and answer.
        shifted: Shifted images of each class.
        right_by_shift: How many of these are right, by class, shift down and shift right, those of signals in one row; empty if
            the images have more than two dimensions.
        first_change: Images right without a shift by the distance at which their answer changes first, from one pixel on; at
            last those whose answer never changes.
        changed_to: Images by true class and the answer that it changes to there.
    """

    classes: Annotated[list[Annotated[str, msgspec.Meta(max_length=200)]], msgspec.Meta(min_length=1, max_length=MAX_CLASSES)]
    confusion: Matrix
    shifted: Row
    right_by_shift: list[Any]
    first_change: Row
    changed_to: Matrix

    def shapes(self) -> tuple[Any, ...]:
        """The names of the rows and the sizes of the tables, by which runs can be added up."""
        return tuple(self.classes), *(_shape(table) for table in (self.shifted, self.right_by_shift, self.first_change))

    def is_whole(self) -> bool:
        """Whether the tables fit each other, and no count is larger than what it is a part of."""
        n = len(self.classes)
        fits = all(_shape(table) == (n, n) for table in (self.confusion, self.changed_to)) and len(self.shifted) == n
        if not fits or not self.right_by_shift:
            return fits
        right = _shape(self.right_by_shift)
        if right is None or right[0] != n or right[2] % 2 == 0 or right[1] not in (1, right[2]):
            return False
        return all(max(map(max, table)) <= most for table, most in zip(self.right_by_shift, self.shifted, strict=True))


@dataclass(frozen=True)
class ErrorTable:
    """The errors of a group.

    Attributes:
        group: The group.
        index: Its place among the groups of the report.
        counts: Sums over its runs.
        runs: Number of runs that are summed.
    """

    group: Group
    index: int
    counts: Counts
    runs: int

    def recall(self) -> list[float | None]:
        """The share of right answers of each class; None for a class without images."""
        return [row[i] / sum(row) if sum(row) else None for i, row in enumerate(self.counts.confusion)]

    def kept(self) -> list[float]:
        """The share of the images right without a shift that no shift of up to 0, 1, ... pixels changes; empty for none."""
        changes = self.counts.first_change
        total = sum(changes)
        return [1 - sum(changes[:reach]) / total for reach in range(len(changes))] if total else []


def shifted_images(tables: Sequence[ErrorTable]) -> str:
    """Which images were shifted, in words: the probe may shift only the first ones of those that it measures."""
    counts = {
        (sum(table.counts.shifted) // table.runs, sum(map(sum, table.counts.confusion)) // table.runs) for table in tables
    }
    if all(shifted >= every for shifted, every in counts):
        return "the test images"
    return "the first {:,} of the {:,} test images".format(*counts.pop()) if len(counts) == 1 else "the first test images"


def error_tables(groups: Sequence[Group], root: Path) -> tuple[list[ErrorTable], list[str]]:
    """Read the errors of at most 12 groups, each summed over its runs, and say what was left out.

    Runs are summed whose tables have the same classes and shifts as those of the first.

    Returns:
        The tables of the groups that have any, and a sentence for what cannot be shown; nothing of both if no run was measured.
    """
    measured = [(index, group) for index, group in enumerate(groups) if any(MEASURED in run.metrics for run in group.runs)]
    tables: list[ErrorTable] = []
    notes: list[str] = []
    for index, group in [measured[i] for i in evenly_spaced(len(measured), MAX_GROUPS)]:
        runs = [run for run in group.runs if MEASURED in run.metrics]
        found = {run.path: _counts(root / run.path) for run in runs[:MAX_RUNS]}
        whole = [counts for counts in found.values() if isinstance(counts, Counts)]
        like_first = [counts for counts in whole if counts.shapes() == whole[0].shapes()]
        notes += [f"{printable(path)} {counts}." for path, counts in found.items() if isinstance(counts, str)]
        if len(runs) > MAX_RUNS:
            notes.append(f"{group.label}: counted are the first {MAX_RUNS} of {len(runs):,} runs.")
        if len(like_first) < len(whole):
            others = len(whole) - len(like_first)
            verb = "is" if others == 1 else "are"
            notes.append(f"{group.label}: left out {verb} {plural(others, 'run')} with other classes or shifts.")
        if like_first:
            tables.append(ErrorTable(group, index, _sum(like_first), len(like_first)))
    if len(measured) > MAX_GROUPS:
        notes.append(f"Shown: {MAX_GROUPS} of {len(measured):,} configurations, evenly spaced in the order of the table.")
    return tables, notes


def _counts(folder: Path) -> Counts | str:
    """The tables of a run; what is wrong with them if it has none, or they are not as the probe writes them."""
    lacking = "holds no whole tables of errors"
    maps: dict[str, Any] = {}
    try:
        maps = load_record(folder).probes[PROBE].maps
        counts = msgspec.convert(maps, Counts)
        counts.right_by_shift = _shift_maps(counts.right_by_shift)
    except msgspec.ValidationError:
        return TOO_LARGE if _is_large(maps) else lacking
    except (DamagedError, ConvexpError, KeyError, RecursionError):
        return lacking
    counts.classes = [printable(name) for name in counts.classes]
    return counts if counts.is_whole() else lacking


def _is_large(maps: dict[str, Any]) -> bool:
    """Whether there are more classes than a page shows, or so many distances that a table has more shifts than it shows."""
    classes, distances = maps.get("classes"), maps.get("first_change")
    many = isinstance(classes, list) and len(classes) > MAX_CLASSES
    return many or (isinstance(distances, list) and 2 * len(distances) - 1 > MAX_SHIFTS)


def _sum(found: Sequence[Counts]) -> Counts:
    first = found[0]
    names = ("confusion", "shifted", "right_by_shift", "first_change", "changed_to")
    return Counts(first.classes, **{name: _add([getattr(counts, name) for counts in found]) for name in names})


def _add(tables: Sequence[Any]) -> Any:
    """The sum of nested lists of the same shape."""
    return [_add(parts) for parts in zip(*tables, strict=True)] if isinstance(tables[0], list) else sum(tables)


def _shape(table: Any) -> tuple[int, ...] | None:
    """The shape of nested lists; None if they are not rectangular."""
    if not isinstance(table, list):
        return ()
    shapes = {_shape(part) for part in table}
    inner = shapes.pop() if len(shapes) == 1 else None
    return None if inner is None else (len(table), *inner)


def _shift_maps(found: list[Any]) -> list[list[list[int]]]:
    """The maps of all classes, those of signals as one row; none for images of more dimensions."""
    dims, first = 0, found
    while isinstance(first, list) and first:
        dims, first = dims + 1, first[0]
    if dims == 2:
        return [[row] for row in msgspec.convert(found, list[Row])]
    return [] if dims > 3 else msgspec.convert(found, list[ShiftMap])
