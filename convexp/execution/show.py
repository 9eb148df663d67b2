"""The numbers of a probe on the terminal."""

from collections.abc import Sequence

from rich.markup import escape

from convexp.config.docstrings import Entry
from convexp.terminal import console


def show_numbers(probe: str, numbers: Sequence[tuple[str, float, Entry | None]]) -> None:
    """What a probe found, a line for each number: name, value, unit, meaning; what is meant of every layer is said once."""
    width = max((len(f"{probe}/{name}") for name, _, _ in numbers), default=0)
    said: set[Entry] = set()
    for name, value, entry in numbers:
        unit, meaning = (entry.kind, "" if entry in said else entry.text.replace("``", "")) if entry else ("", "")
        said |= {entry} if entry else set()
        line = f"[cyan]{escape(f'{probe}/{name}'):<{width}}[/]  {value:<12.6g} {escape(unit):<11} {escape(meaning)}"
        console.out.print(line.rstrip())
