"""What one run needs to know of the plan of its sweep, however many runs that has.

A plan of 100,000 runs takes 0.3 s to read, and each run used to read it. So a large plan is also written in a form in which a
run finds its own part by its number in the sweep (``hydra.job.num``): a head, the places of the runs in the file, and the runs.
The file belongs to the very ``study.json`` that it was written with. If that has been replaced since, or the file is missing or
damaged, or the number is not known or belongs to another run, the whole plan is read.
"""

import itertools
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from convexp.files.atomic import atomic_write
from convexp.files.locks import locked
from convexp.records.file_state import FileState, file_state
from convexp.records.numbers import is_number
from convexp.records.plan import FILE, LOCK, Plan, read_plan, settings_of, single_settings
from convexp.records.repetitions import is_seed
from convexp.records.values import unique

PARTS = ".study.parts"
FEWEST = 100  # runs, from which on the file is written
NUMBER = struct.Struct("<Q")


class PlanPart(Struct, frozen=True):
    """What a run needs to know of the plan of its sweep.

    Attributes:
        varied: The settings that have more than one value in the plan, seeds that vary with the seed excluded; and whether all
            these are numbers, one in every run.
        count: Number of runs.
        number: Which of them the run is, from 0 on; None if the plan does not name it.
        point: The value of the run on each axis; None likewise.
    """

    varied: dict[str, bool]
    count: int
    number: int | None = None
    point: dict[str, Any] | None = None


class _Head(Struct):
    plan: FileState
    varied: dict[str, bool]
    count: int


class _Run(Struct, array_like=True):
    folder: str
    point: dict[str, Any]


def part_of(plan: Plan, folder: str) -> PlanPart:
    """Return the part of the run in ``folder``, which is relative to the folder of the sweep."""
    number = next((number for number, run in enumerate(plan.runs) if run.folder == folder), None)
    point = None if number is None else plan.runs[number].point
    return PlanPart(_varied(plan), len(plan.runs), number, point)


def write_parts(root: Path) -> None:
    """Write the parts of the plan in the folder ``root``; a small plan needs none."""
    with locked(root / LOCK):  # no other sweep replaces the plan meanwhile
        plan, state = read_plan(root), file_state(str(root / FILE))
        if plan is None or state is None or len(plan.runs) < FEWEST:
            (root / PARTS).unlink(missing_ok=True)
            return
        head = msgspec.json.encode(_Head(state, _varied(plan), len(plan.runs)))
        runs = [msgspec.json.encode(_Run(run.folder, run.point)) for run in plan.runs]
        with atomic_write(root / PARTS) as partial, partial.open("wb") as opened:
            opened.writelines((NUMBER.pack(len(head)), head))
            places = itertools.accumulate(map(len, runs), initial=NUMBER.size * (len(runs) + 2) + len(head))
            opened.writelines(map(NUMBER.pack, places))
            opened.writelines(runs)


def read_part(root: Path, folder: str, number: int | None) -> PlanPart | None:
    """Read what the run in ``folder`` needs of the plan in ``root``; None if that is damaged.

    Args:
        root: The folder of the sweep.
        folder: The folder of the run, relative to it.
        number: The number of the run in the plan, as far as is known.

    Raises:
        ConvexpError: If a newer version of convexp wrote the plan.
    """
    if number is not None:
        with suppress(OSError, ValueError, msgspec.MsgspecError, struct.error):
            if part := _read_part(root, folder, number):
                return part
    plan = read_plan(root)
    return None if plan is None else part_of(plan, folder)


def _read_part(root: Path, folder: str, number: int) -> PlanPart | None:
    file = root / PARTS
    if not file.is_file():
        return None
    with file.open("rb") as opened:
        size = file.stat().st_size
        length = _number(opened.read(NUMBER.size))
        head = msgspec.json.decode(opened.read(min(length, size)), type=_Head)
        if head.plan != file_state(str(root / FILE)) or not 0 <= number < head.count:
            return None
        opened.seek(NUMBER.size * (number + 1) + length)
        start, end = _number(opened.read(NUMBER.size)), _number(opened.read(NUMBER.size))
        opened.seek(min(start, size))
        run = msgspec.json.decode(opened.read(max(0, min(end, size) - start)), type=_Run)
    return PlanPart(head.varied, head.count, number, run.point) if run.folder == folder else None


def _number(content: bytes) -> int:
    return NUMBER.unpack(content)[0]


def _varied(plan: Plan) -> dict[str, bool]:
    """The settings that have more than one value in the plan, and whether these are numbers in all runs."""
    found: dict[str, list[Any]] = {}
    for axis, values in plan.axes.items():
        for value in values:
            for setting, own in factors(axis, value):
                found.setdefault(setting, []).append(own)
    varied = {setting: values for setting, values in found.items() if len(unique(values)) > 1}
    everywhere = set(varied)
    for run in plan.runs:
        everywhere &= single_settings(run.point).keys()
    return {setting: setting in everywhere and all(map(is_number, values)) for setting, values in varied.items()}


def factors(axis: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield the settings of an axis with their values, without the seed and the seeds that vary together with it."""
    for setting, own in single_settings({axis: value}).items():
        if not ("seed" in settings_of(axis) and is_seed(setting)):
            yield setting, own


class Sweep(Struct, frozen=True):
    """The sweep that a run belongs to.

    Attributes:
        root: Its folder.
        plan: What the run needs of its plan; None if that is damaged.
    """

    root: Path
    plan: PlanPart | None


def find_sweep(run: Path, number: int | None = None) -> Sweep | None:
    """Find the sweep of the run in the folder ``run`` and read what it needs; None for a run that belongs to none.

    Args:
        run: The folder.
        number: The number of the run in the plan, as far as is known.

    Raises:
        ConvexpError: If a newer version of convexp wrote the plan.
    """
    root = sweep_root(run)
    return None if root is None else Sweep(root, read_part(root, str(run.relative_to(root)), number))


def sweep_root(run: Path) -> Path | None:
    """Return the folder above that of a run which holds the plan of its sweep; None for a run that belongs to none."""
    return next((folder for folder in run.parents if (folder / FILE).is_file()), None)
