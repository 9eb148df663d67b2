"""The place of a process among those that train one network together, and what torchrun says of it. No torch."""

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """The place of a process among those that train one network together, in torch's words.

    Attributes:
        rank: Number of the process among all, from 0 on.
        local_rank: Number of the process on its machine.
        node_rank: Number of its machine.
        world_size: Number of all processes.
    """

    rank: int = 0
    local_rank: int = 0
    node_rank: int = 0
    world_size: int = 1

    @property
    def alone(self) -> bool:
        """Whether there is no other process."""
        return self.world_size == 1


ALONE = Place()


def place_in_environment() -> Place:
    """Return the place that the variables of torchrun name, which the processes that a run starts itself have as well."""
    rank, local_rank, world_size = (int(os.environ[name]) for name in ("RANK", "LOCAL_RANK", "WORLD_SIZE"))
    return Place(rank, local_rank, int(os.environ.get("GROUP_RANK", "0")), world_size)


def torchrun_place() -> Place | None:
    """Return the place of this process if torchrun started it beside others; None if not."""
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        return None
    place = place_in_environment()
    return None if place.alone else place


def torchrun_processes_per_node() -> int:
    """Return how many processes torchrun started on this machine."""
    return int(os.environ["LOCAL_WORLD_SIZE"])
