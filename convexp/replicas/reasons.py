"""Whether networks can be trained at once, and if not, why."""

from collections.abc import Sequence
from typing import Any

from torch import nn

from convexp.replicas.member import Member
from convexp.replicas.network import parts_of


def why_not(members: Sequence[Member]) -> str | None:
    """Say why members cannot be trained at once; None if they can.

    It is one sentence without a full stop. It depends on the networks, tasks and optimizers alone, not on their values.
    """
    parts = parts_of(members[0].network)
    if isinstance(parts, str):
        return parts
    return None
