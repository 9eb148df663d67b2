"""Which trained networks a page lets its visitors play with, and why others are left out."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from convexp.records.playground import FILE
from convexp.records.playground_format import MAX_IMAGES
from convexp.records.settings import lookup
from convexp.reporting.charts.wirings import wiring_of
from convexp.reporting.groups import Group
from convexp.reporting.playable import NotPlayableError, PlaygroundNetwork, read_network, script_json

MAX_NETWORKS = 12  # on a page
MAX_SHOWN = 4  # side by side when the page opens
MAX_READ = 3 * MAX_NETWORKS  # files that are looked into
NO_ROOM = "with it the page would become larger than 6 MB"


@dataclass(frozen=True)
class Playground:
    """The networks of a page.

    Attributes:
        networks: Networks that are embedded, in the order of the report.
        left_out: Labels of the configurations that are not, by reason.
    """

    networks: list[PlaygroundNetwork]
    left_out: dict[str, list[str]] = field(default_factory=dict[str, list[str]])


def choose_networks(groups: Sequence[Group], root: Path, room: int) -> Playground | None:
    """Choose a network of each configuration, those of different wirings first.

    Args:
        groups: Groups of finished runs; the first seed stands for each.
        root: Folder below which the run folders lie.
        room: How many bytes the networks may take on the page.

    Returns:
        The networks; None if no run has one and none could be asked for it.
    """
    chosen: dict[int, PlaygroundNetwork] = {}
    left_out: dict[str, list[str]] = {}
    read = 0
    for index in _different_first(groups):
        try:
            if len(chosen) == MAX_NETWORKS:
                raise NotPlayableError(f"a page has at most {MAX_NETWORKS} networks")
            size_of_file = _size_of_file(groups[index], root, room)
            if size_of_file and read == MAX_READ:
                raise NotPlayableError(f"only {MAX_READ} files are looked into for a page")
            read += bool(size_of_file)
            network, size = _next_network(groups[index], root, list(chosen.values()), room)
        except NotPlayableError as reason:
            left_out.setdefault(str(reason), []).append(groups[index].label)
        else:
            chosen[index] = network
            room -= size
    shown = list(chosen)[:MAX_SHOWN]
    networks = [replace(chosen[index], shown=index in shown) for index in sorted(chosen)]
    return Playground(networks, left_out) if networks or could_have(groups, root) else None


def _different_first(groups: Sequence[Group]) -> list[int]:
    """The indices of the groups: the first of each model, then the others."""
    models = [str(lookup(group.runs[0].config, "model")) for group in groups]
    first = sorted({model: index for index, model in reversed(list(enumerate(models)))}.values())
    return [*first, *(index for index in range(len(groups)) if index not in first)]


def _next_network(group: Group, root: Path, chosen: list[PlaygroundNetwork], room: int) -> tuple[PlaygroundNetwork, int]:
    """The network of a group, if it fits to those chosen before and onto the page, and its size there."""
    run = group.runs[0]
    network = read_network(run, root / run.path, group.label, wiring_of(group))
    if chosen and network.sees != chosen[0].sees:
        raise NotPlayableError(f"it sees other images, or moves them otherwise, than {chosen[0].label}")
    size = len(script_json(network.own())) + (0 if chosen else len(script_json(network.common())))
    size += 200  # its index and its colours
    if size > room:
        raise NotPlayableError(NO_ROOM)
    return network, size


def _size_of_file(group: Group, root: Path, room: int) -> int:
    """The bytes of a group's file, 0 if there is none; one that has no room for sure is not read.

    A file has images, which a page has only once, and its JSON is indented.
    """
    try:
        size = (root / group.runs[0].path / FILE).stat().st_size
    except OSError:
        return 0
    if size > room + 2 * MAX_IMAGES:
        raise NotPlayableError(NO_ROOM)
    return size


def could_have(groups: Sequence[Group], root: Path) -> bool:
    """Whether a run folder has a network, says why it has none, or has a checkpoint from which one can be made."""
    files = (FILE, "checkpoints/best.ckpt")
    return any((root / group.runs[0].path / file).is_file() for group in groups for file in files)
