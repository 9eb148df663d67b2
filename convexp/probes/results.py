"""What probes found on a network: to print, to look up, to save."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from convexp.config.docstrings import Entry
from convexp.config.folders import make_writable_folder
from convexp.config.instantiate import TARGET
from convexp.files.json_files import write_json
from convexp.probes.base import Probe
from convexp.probes.numbers import describe_number
from convexp.probes.pictures import Pictures, save_pictures
from convexp.probes.running import measure_probe
from convexp.probes.sample import Sample

if TYPE_CHECKING:
    from pandas import DataFrame


PLAIN = (str, int, float, bool, list, type(None))  # values of settings that JSON has


@dataclass(frozen=True)
class ProbeResult:
    """What one probe found.

    Attributes:
        probe: The probe, with its settings.
        numbers: Its finite numbers by name.
        maps: Its arrays and tables by name, as nested lists and dictionaries.
        pictures: Its pictures, ``(3, H, W)`` uint8, by the name ``<probe>/<picture>``.
        protocol: How images were shifted; None if the probe shifts none.
        seconds: How long it took; None if it does not apply.
        skipped: Why the probe does not apply to the network or the images; None if it was measured.
    """

    probe: Probe
    numbers: dict[str, float]
    maps: dict[str, Any]
    pictures: Pictures
    protocol: str | None
    seconds: float | None
    skipped: str | None

    @property
    def settings(self) -> dict[str, Any]:
        """The settings of the probe, with its class as ``_target_``."""
        kind = type(self.probe)
        values: dict[str, Any] = asdict(self.probe) if is_dataclass(self.probe) else {}
        plain_values = {name: value if isinstance(value, PLAIN) else repr(value) for name, value in values.items()}
        return {TARGET: f"{kind.__module__}.{kind.__qualname__}", **plain_values}

    def save(self, name: str, folder: Path) -> None:
        """Write the result to ``<name>.json`` in ``folder``, and the pictures as PNG files beside it."""
        measured = {key: getattr(self, key) for key in ("numbers", "maps", "protocol", "seconds")}
        found = measured if self.skipped is None else {"skipped": self.skipped}
        write_json(folder / f"{name}.json", _finite({"settings": self.settings, **found}))
        save_pictures(self.pictures, folder)

    def described(self) -> list[tuple[str, float, Entry | None]]:
        """Return name, value and description (unit and meaning) of each number."""
        return [(number, value, describe_number(type(self.probe), number)) for number, value in self.numbers.items()]


def measure_one(name: str, probe: Probe, network: nn.Module, sample: Sample) -> ProbeResult:
    """Measure a network with one probe, called ``name``."""
    outcome = measure_probe(name, probe, network, sample)
    found = outcome.found
    pictures = {f"{name}/{picture}": pixels for picture, pixels in found.pictures.items()}
    return ProbeResult(probe, found.numbers, found.maps, pictures, found.protocol, outcome.seconds, outcome.skipped)


@dataclass(frozen=True)
class Measurements(Mapping[str, ProbeResult]):
    """What several probes found on a network, by the name of the probe; ``print`` shows the numbers with their units.

    Attributes:
        results: The result of every probe, by name.
        failed: For each probe that could not be measured the error; it has no result.
    """

    results: dict[str, ProbeResult]
    failed: dict[str, str] = field(default_factory=dict[str, str])

    def __getitem__(self, name: str) -> ProbeResult:
        return self.results[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.results)

    def __len__(self) -> int:
        return len(self.results)

    @property
    def numbers(self) -> dict[str, float]:
        """Every number, by the name ``<probe>/<number>``."""
        return {f"{probe}/{name}": value for probe, each in self.items() for name, value in each.numbers.items()}

    @property
    def maps(self) -> dict[str, Any]:
        """Every map, by the name ``<probe>/<map>``."""
        return {f"{probe}/{name}": value for probe, each in self.items() for name, value in each.maps.items()}

    @property
    def pictures(self) -> dict[str, Tensor]:
        """Every picture, ``(3, H, W)`` uint8, by the name ``<probe>/<picture>``."""
        return {name: picture for each in self.values() for name, picture in each.pictures.items()}

    @property
    def skipped(self) -> dict[str, str]:
        """For each probe that does not apply to the network the reason."""
        return {name: each.skipped for name, each in self.items() if each.skipped is not None}

    def table(self) -> "DataFrame":
        """Return the numbers as a table: probe, number, value, unit, meaning."""
        from pandas import DataFrame  # not at the top: it takes a while

        rows = [
            (probe, name, value, entry.kind if entry else "", entry.text if entry else "")
            for probe, each in self.items()
            for name, value, entry in each.described()
        ]
        return DataFrame(rows, columns=["probe", "number", "value", "unit", "meaning"])

    def save(self, folder: str | Path) -> None:
        """Write into ``folder`` a JSON file for each probe, with settings, numbers and maps, and the pictures as PNG files.

        Raises:
            ConfigError: If the folder cannot be made or written to.
        """
        target = Path(folder)
        make_writable_folder(f"folder={folder}", target)
        for name, each in self.items():
            each.save(name, target)

    def __str__(self) -> str:
        """Return a line for each number, and one for each probe that does not apply or has failed."""
        lines: list[str] = []
        for probe, each in self.items():
            if each.skipped is not None:
                lines.append(f"{probe} skipped: {each.skipped}")
            lines += ["  ".join((name, rest)).rstrip() for name, rest in number_lines(probe, each.described())]
        lines += [f"{probe} failed: {reason}" for probe, reason in self.failed.items()]
        return "\n".join(lines)


def measure_all(probes: Mapping[str, Probe], network: nn.Module, sample: Sample) -> Measurements:
    """Measure a network with several probes."""
    return Measurements({name: measure_one(name, probe, network, sample) for name, probe in probes.items()})


def number_lines(probe: str, numbers: Sequence[tuple[str, float, Entry | None]]) -> list[tuple[str, str]]:
    """Return for each number of a probe its name, padded, and what is printed behind it: value, unit and description.

    A description that several numbers share is given once.
    """
    width = max((len(f"{probe}/{name}") for name, _, _ in numbers), default=0)
    told: set[Entry] = set()
    lines: list[tuple[str, str]] = []
    for name, value, entry in numbers:
        unit, text = (entry.kind, "" if entry in told else entry.text.replace("``", "")) if entry else ("", "")
        told |= {entry} if entry else set()
        lines.append((f"{f'{probe}/{name}':<{width}}", f"{value:<12.6g} {unit:<11} {text}"))
    return lines


def _finite(value: Any) -> Any:
    """The value with null in place of numbers that are not finite, which JSON does not have."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
