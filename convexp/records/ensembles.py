"""``ensemble.json``: what the means over runs of one configuration have come to, beside the runs and never within one."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

from msgspec import Struct, field

from convexp.files.json_files import read_struct, write_struct
from convexp.machine.environment import GitState

FORMAT = 1
FILE = "ensemble.json"
FOLDER = "ensembles"  # beside the runs
IN_RANGE, BEYOND = "in_range/accuracy", "beyond/accuracy"  # over the shifts of the shift map that the training has, and others
ERROR_IN_RANGE, ERROR_BEYOND = "in_range/equivariance_error", "beyond/equivariance_error"  # of the answer, over the same shifts


class Member(Struct, frozen=True):
    """A run whose network is a member.

    Attributes:
        folder: Name of its folder.
        identity: Its identity.
        seed: Its seed.
    """

    folder: str
    identity: str
    seed: int


class Measured(Struct, frozen=True, kw_only=True):
    """One ensemble and its metrics.

    Attributes:
        seeds: Seeds of its members.
        metrics: Its metrics, by the names that those of a run have.
        seconds: How long it took to measure.
    """

    seeds: list[int]
    metrics: dict[str, float]
    seconds: float = 0.0


class EnsembleRecord(Struct, frozen=True, kw_only=True):
    """The ensembles of runs of one configuration.

    Attributes:
        mean_of: What the mean is taken of.
        runs: The runs by seed.
        images: Checksums of the data and of their split.
        ensembles: The ensembles; those of one size have no member in common, so that they are independent.
        trained: Largest shift in training, in pixels.
        skipped: Why a probe does not apply, by its name.
        versions: Versions of Python and of packages, by name.
        git: State of the checkout that convexp ran from.
        threads: Number of threads that torch used.
    """

    mean_of: Literal["outputs", "probabilities"]
    runs: list[Member]
    images: str
    ensembles: list[Measured]
    trained: int = 0
    skipped: dict[str, str] = field(default_factory=dict[str, str])
    versions: dict[str, str] = field(default_factory=dict[str, str])
    git: GitState = field(default_factory=GitState)
    threads: int = 1


def write_ensembles(folder: Path, record: EnsembleRecord) -> None:
    """Write the ``ensemble.json`` in ``folder``."""
    write_struct(folder / FILE, record, FORMAT)


def read_ensemble(folder: Path) -> EnsembleRecord | None:
    """Read the ``ensemble.json`` in ``folder``; None if there is none, or a damaged one.

    Raises:
        ConvexpError: If a newer version of convexp wrote it.
    """
    return read_struct(folder / FILE, EnsembleRecord, FORMAT)


def ensemble_folders(root: Path) -> list[Path]:
    """Return the folders with the ensembles of the runs in the folder ``root`` of a sweep."""
    return [file.parent for file in sorted((root / FOLDER).glob(f"*/{FILE}"))]


def read_ensembles(root: Path) -> Iterable[EnsembleRecord]:
    """Read the ensembles of the runs in the folder ``root`` of a sweep; damaged files are left out.

    Raises:
        ConvexpError: If a newer version of convexp wrote one.
    """
    return [record for folder in ensemble_folders(root) if (record := read_ensemble(folder)) is not None]


def disjoint(seeds: Sequence[int], size: int) -> list[list[int]]:
    """Return as many groups of ``size`` seeds as there are without a seed in common, in the order of the seeds."""
    return [list(seeds[start : start + size]) for start in range(0, len(seeds) - size + 1, size)]
