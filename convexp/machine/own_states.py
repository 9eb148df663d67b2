"""What belongs to the process and not to a run: each run of a group has its own, exchanged when another one goes on.

Who owns such a state registers it here where it is defined.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

States = Mapping[str, Any]


@dataclass(frozen=True)
class _Shared:
    save: Callable[[], Any]
    restore: Callable[[Any], None]
    begin: Callable[[], None]
    at_first: Any


_shared: dict[str, _Shared] = {}


def each_its_own(
    name: str, save: Callable[[], Any], restore: Callable[[Any], None], begin: Callable[[], None] = lambda: None
) -> None:
    """Give each run of a group a state of its own.

    Args:
        name: Name of the state.
        save: Returns the present state. Changes that another run makes do not change what it returned.
        restore: Makes what ``save`` returned the present state.
        begin: Called when a run begins; if ``save`` returns an object that is changed, it puts a copy in its place.
    """
    _shared[name] = _Shared(save, restore, begin, save())


def save_states() -> States:
    """Return the present state of all that is registered."""
    return {name: shared.save() for name, shared in _shared.items()}


def restore_states(states: States) -> None:
    """Make ``states`` the present ones; what was registered after they were saved is as it was when it was registered."""
    for name, shared in _shared.items():
        shared.restore(states.get(name, shared.at_first))


def begin_states() -> None:
    """Let a run begin with the present states, which it does not share with anybody."""
    for shared in _shared.values():
        shared.begin()
