"""Tables of the page as data: cells, columns and rows."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Cell:
    """A cell of a table.

    Attributes:
        text: The text that is shown.
        key: The value that the column is sorted by; a cell with None comes last in either direction.
    """

    text: str
    key: float | str | None

    @property
    def numeric(self) -> bool:
        """Whether the cell is aligned as a number."""
        return not isinstance(self.key, str)


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        title: The heading.
        meaning: What the heading means, shown when the pointer is over it.
    """

    title: str
    meaning: str


@dataclass(frozen=True)
class Table:
    """A table that can be sorted by each of its columns.

    Attributes:
        name: The id of the table in the page.
        caption: The text below the table.
        columns: The columns.
        rows: The rows; the first cell of each is its heading.
        colours: The colour of each row in the charts; empty if the rows have none.
    """

    name: str
    caption: str
    columns: list[Column]
    rows: list[list[Cell]]
    colours: list[str]
