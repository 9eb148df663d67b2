"""Finished runs as rows that are quick to read: what is equal in many of them, such as a section of settings, is kept once."""

from typing import Any

import msgspec
from msgspec import Raw, Struct

from convexp.machine.environment import GitState, Hardware
from convexp.records.file_state import FileState
from convexp.records.record import DataRecord, NetworkRecord, OriginRecord, ProbeRecord, RunRecord, Seconds
from convexp.records.shared import Shared
from convexp.records.status import RunStatus

Number = int | float


class _Sections(Struct, array_like=True):
    """What is equal in many runs, each once."""

    keys: list[list[tuple[str, bool]]]  # the settings at the top, and whether each is a section
    config: list[Any]
    network: list[NetworkRecord | None]
    data: list[DataRecord]
    versions: list[dict[str, str]]
    git: list[GitState]
    hardware: list[Hardware | None]
    metrics: list[list[str]]  # names


class _Row(Struct, array_like=True):
    """A finished run. A whole number stands for a section by its place in the list of ``_Sections``."""

    path: str
    file: FileState
    identity: str | None
    name: str | None
    seed: int | None
    started: str | None
    ended: str | None
    loss: str | None
    error: str | None
    config_error: bool | None
    too_large: tuple[str, ...]
    seconds: tuple[float | None, float | None, float | None, float | None, float | None]
    keys: int
    config: list[Any]
    network: int
    data: int
    versions: int
    git: int
    hardware: int
    metrics: int
    numbers: list[Number]
    taken_over: OriginRecord | None


class _Contents(Struct, array_like=True):
    sections: _Sections
    rows: list[_Row]


ENCODER = msgspec.msgpack.Encoder()
CONTENTS = msgspec.msgpack.Decoder(_Contents)
MAPS = msgspec.msgpack.Decoder(list[Raw])
ANYTHING = msgspec.msgpack.Decoder(dict[str, Any])


class Rows:
    """The finished runs that an index knows.

    Args:
        blocks: Their rows and maps, as ``encode`` returned them; None for no runs.

    Raises:
        ValueError: If these are something else.
    """

    def __init__(self, blocks: tuple[bytes, bytes] | None = None) -> None:
        try:
            contents = (
                _Contents(_Sections([], [], [], [], [], [], [], []), []) if blocks is None else CONTENTS.decode(blocks[0])
            )
            maps = [] if blocks is None else MAPS.decode(blocks[1])
            self._rows = {row.path: (row, kept) for row, kept in zip(contents.rows, maps, strict=True)}
        except (msgspec.MsgspecError, RecursionError) as error:
            raise ValueError(str(error)) from None
        self._sections = contents.sections
        self._shared = {name: Shared(getattr(self._sections, name)) for name in _Sections.__struct_fields__}

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, path: str) -> bool:
        return path in self._rows

    def record(self, path: str, state: FileState | None, with_maps: bool = True) -> RunRecord | None:
        """Return the record of the run in the folder ``path``; None if its file was in another state when it was read.

        Raises:
            LookupError, TypeError, ValueError: If the row is not as ``add`` made it.
        """
        row, maps = self._rows[path]
        if row.file != state:
            return None
        sections = self._sections
        keys = zip(sections.keys[row.keys], row.config, strict=True)
        return RunRecord(
            state=RunStatus.FINISHED,
            identity=row.identity,
            name=row.name,
            seed=row.seed,
            started=row.started,
            config={key: sections.config[value] if is_section else value for (key, is_section), value in keys},
            network=sections.network[row.network],
            data=sections.data[row.data],
            loss=row.loss,
            metrics=dict(zip(sections.metrics[row.metrics], row.numbers, strict=True)),
            probes=_probes(maps) if with_maps else {},
            versions=sections.versions[row.versions],
            git=sections.git[row.git],
            error=row.error,
            config_error=row.config_error,
            seconds=Seconds(**dict(zip(Seconds.__struct_fields__, row.seconds, strict=True))),
            hardware=sections.hardware[row.hardware],
            ended=row.ended,
            taken_over=row.taken_over,
            too_large=row.too_large,
            path=path,
        )

    def share(self, record: RunRecord) -> None:
        """Make sections of a record that are equal to those of a run that the index knows the same objects, in place."""
        shared = self._shared
        config = {k: shared["config"].same(v) if isinstance(v, dict) else v for k, v in (record.config or {}).items()}
        record.config = config or record.config
        for name in ("network", "data", "versions", "git", "hardware"):
            setattr(record, name, shared[name].same(getattr(record, name)))

    def add(self, record: RunRecord, state: FileState) -> None:
        """Add a finished run.

        Raises:
            ValueError: If the record holds something that cannot be kept, such as a whole number of more than 64 bits.
        """
        number = {name: shared.number for name, shared in self._shared.items()}
        config = record.config or {}
        probe = record.probes.get("shift_map")
        try:
            row = _Row(
                path=record.path,
                file=state,
                identity=record.identity,
                name=record.name,
                seed=record.seed,
                started=record.started,
                ended=record.ended,
                loss=record.loss,
                error=record.error,
                config_error=record.config_error,
                too_large=record.too_large,
                seconds=msgspec.structs.astuple(record.seconds),  # pyright: ignore[reportArgumentType]
                keys=self._shared["keys"].number_of_new([(key, isinstance(value, dict)) for key, value in config.items()]),
                config=[number["config"](value) if isinstance(value, dict) else value for value in config.values()],
                metrics=self._shared["metrics"].number_of_new(list(record.metrics)),
                numbers=list(record.metrics.values()),
                taken_over=record.taken_over,
                **{name: number[name](getattr(record, name)) for name in ("network", "data", "versions", "git", "hardware")},
            )
            ENCODER.encode(row)
            self._rows[record.path] = row, Raw(ENCODER.encode(probe.maps if probe else {}))
        except (TypeError, OverflowError, RecursionError, UnicodeError) as error:
            raise ValueError(str(error)) from None

    def encode(self, paths: set[str]) -> tuple[bytes, bytes]:
        """Return the rows and the maps of the runs in the folders ``paths``, of those that are known."""
        kept = [(row, maps) for path, (row, maps) in self._rows.items() if path in paths]
        rows = _Contents(self._sections, [row for row, _ in kept])
        return ENCODER.encode(rows), ENCODER.encode([maps for _, maps in kept])


def _probes(maps: Raw) -> dict[str, ProbeRecord]:
    found = ANYTHING.decode(maps)
    return {"shift_map": ProbeRecord(maps=found)} if found else {}
