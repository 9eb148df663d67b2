"""Equal values kept once."""

from typing import Any

import msgspec

ENCODER = msgspec.msgpack.Encoder()


class Shared:
    """A list in which equal values stand once.

    Args:
        values: The list; what is new is appended to it.
    """

    def __init__(self, values: list[Any]) -> None:
        self.values = values
        self._by_content: dict[bytes, int] | None = None
        self._by_object: dict[int, tuple[int, Any]] = {}  # with the object itself, so that no other one gets its id

    def number(self, value: Any) -> int:
        """Return the place of a value in the list; ``value`` must not be changed afterwards.

        Raises:
            TypeError, OverflowError, RecursionError, UnicodeError: If MessagePack has no form for it.
        """
        found = self._by_object.get(id(value))
        if found is None:
            found = self._by_object[id(value)] = self.number_of_new(value), value
        return found[0]

    def number_of_new(self, value: Any) -> int:
        """Return the place of a value that has just been made, as ``number`` does."""
        if self._by_content is None:
            self._by_content = {ENCODER.encode(each): place for place, each in enumerate(self.values)}
        place = self._by_content.setdefault(ENCODER.encode(value), len(self.values))
        if place == len(self.values):
            self.values.append(value)
        return place

    def same(self, value: Any) -> Any:
        """Return the value in the list that is equal to ``value``, which is appended if there is none."""
        try:
            return self.values[self.number(value)]
        except (TypeError, OverflowError, RecursionError, UnicodeError):
            return value
