"""From the bytes of a ``result.json``, which anybody may have written, to a record; what is wrong is named in one line."""

import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Literal, TypeVar

import msgspec
from msgspec import Raw, Struct

from convexp.records import sections
from convexp.records.damage import DamagedError, NewerError, decoded, dictionary
from convexp.records.record import FORMAT, NetworkRecord, RunRecord
from convexp.records.renamed import renamed
from convexp.records.settings import printable
from convexp.records.status import RunStatus

T = TypeVar("T")
NULL = Raw(b"null")


class _File(Struct):
    """The top level of ``result.json``, the sections not yet decoded."""

    format: int
    state: Literal["running", "interrupted", "failed", "pruned", "finished"]
    identity: str | None = None
    name: str | None = None
    seed: int | None = None
    started: str | None = None
    ended: str | None = None
    loss: str | None = None
    error: str | None = None
    config_error: bool | None = None
    mendable: bool | None = None  # config_error, as earlier versions wrote it
    config: dict[str, Raw] | None = None
    network: Raw = NULL
    data: Raw = NULL
    metrics: Raw = NULL
    probes: Raw = NULL
    by_epoch: Raw = NULL
    parameter_groups: Raw = NULL
    test_maps: Raw = NULL
    versions: Raw = NULL
    git: Raw = NULL
    seconds: Raw = NULL
    hardware: Raw = NULL
    extended: Raw = NULL
    taken_over: Raw = NULL


class _Format(Struct):
    format: int


FILE = msgspec.json.Decoder(_File)
FORMAT_ALONE = msgspec.json.Decoder(_Format)


class RecordDecoder:
    """Decodes records.

    Args:
        for_report: Whether many records are in memory at once and their texts are shown. Sections that are equal in two records
            are then one object, texts are printable, and the layers of the network, ``by_epoch`` and all that the probes
            measured are left out, apart from the maps of the shift map.
    """

    def __init__(self, for_report: bool = False) -> None:
        self.for_report = for_report
        self._known: dict[tuple[str, bytes], Any] = {}
        self._names: dict[str, str] = {}
        self._networks: dict[NetworkRecord, NetworkRecord] = {}

    def decode(self, content: bytes) -> RunRecord:
        """Decode the content of a ``result.json``.

        Raises:
            DamagedError: If it is not as a run writes it; the message names the first field that is wrong.
            NewerError: If a newer version of convexp wrote it.
        """
        try:
            file = decoded(FILE, content)
        except DamagedError:
            _check_format(content)
            raise
        if file.format > FORMAT:
            raise NewerError(file.format)
        metrics, too_large = sections.numbers("metrics", file.metrics)
        record = RunRecord(
            state=RunStatus(file.state),
            identity=file.identity,
            name=file.name,
            seed=file.seed,
            extended=None if self.for_report else sections.extended(file.extended),
            started=file.started,
            config=self._config(file.config),
            network=self._network(file.network),
            data=self._cached("data", file.data, sections.data),
            loss=file.loss,
            metrics={self._name(name): number for name, number in metrics.items()},
            probes=sections.shift_map_alone(file.probes) if self.for_report else sections.probes(file.probes),
            by_epoch=None if self.for_report else sections.by_epoch(file.by_epoch),
            parameter_groups=None if self.for_report else sections.parameter_groups(file.parameter_groups),
            test_maps=None if self.for_report else sections.test_maps(file.test_maps),
            versions=self._cached("versions", file.versions, sections.versions),
            git=self._cached("git", file.git, sections.git),
            error=file.error,
            config_error=file.mendable if file.config_error is None else file.config_error,
            seconds=sections.seconds(file.seconds),
            hardware=self._cached("hardware", file.hardware, sections.hardware),
            ended=file.ended,
            taken_over=sections.taken_over(self._plain("taken_over", bytes(file.taken_over))),
            too_large=too_large,
        )
        _check_complete(record)
        return record

    def _config(self, parts: dict[str, Raw] | None) -> dict[str, Any] | None:
        if parts is None:
            return None
        config = {self._name(key): self._part(f"config.{key}", bytes(raw)) for key, raw in parts.items()}
        model = config.get("model")
        if not isinstance(model, dict) or not isinstance(model.get("name"), str):
            raise DamagedError("config.model.name: should be text")
        return config

    def _part(self, name: str, content: bytes) -> Any:
        """What a key of the configuration holds; one object for equal sections."""
        if content[:1] != b"{":
            return self._plain(name, content)
        key = ("config", content)
        if key not in self._known:
            self._known[key] = renamed(self._plain(name, content))
        return self._known[key]

    def _cached(self, name: str, raw: Raw, make: Callable[[dict[str, Any]], T]) -> T:
        """What ``make`` makes of a section, null counting as an empty one; one object for equal sections."""
        key = (name, bytes(raw))
        if key not in self._known:
            self._known[key] = make(dictionary(self._plain(name, key[1]), name))
        return self._known[key]

    def _network(self, raw: Raw) -> NetworkRecord | None:
        """The network; for a report without its layers, one object for equal networks."""
        if not self.for_report:
            return self._cached("network", raw, sections.network)
        found = sections.network_totals(raw)
        return self._networks.setdefault(found, found) if found else None

    def _plain(self, name: str, content: bytes) -> Any:
        return sections.plain(name, content, printable if self.for_report else str)

    def _name(self, text: str) -> str:
        """The name of a setting or a metric; one object for equal names."""
        if text not in self._names:
            self._names[text] = sys.intern(printable(text) if self.for_report else text)
        return self._names[text]


def _check_format(content: bytes) -> None:
    """Raise NewerError if the content is of a newer format."""
    with suppress(DamagedError):
        found = decoded(FORMAT_ALONE, content).format
        if found > FORMAT:
            raise NewerError(found)


def _check_complete(record: RunRecord) -> None:
    """Raise DamagedError for a record without the fields that one of its status has."""
    if not record.is_finished and record.config is None:
        return
    needed = {"config": record.config, "seed": record.seed} | ({"network": record.network} if record.is_finished else {})
    for name, value in needed.items():
        if value is None:
            raise DamagedError(f"{name}: is missing")
