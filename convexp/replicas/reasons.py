"""Whether networks can be trained at once, and if not, why."""

from collections.abc import Sequence

from convexp.replicas.member import Member


def why_not(members: Sequence[Member]) -> str | None:
    """Say why members cannot be trained at once; None if they can."""
    return "not yet"
