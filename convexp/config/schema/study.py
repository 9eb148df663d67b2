"""The section ``study``: a question, and the grid of runs that answers it."""

from typing import Any

from pydantic import Field

from convexp.config.schema.section import Section

Grid = dict[str, Any]


class Study(Section):
    """What a study asks, which runs answer it (``convexp.studies.grid``), and what is compared with what (conf/study/)."""

    name: str = Field(min_length=1)
    question: str = Field(min_length=1)
    grid: Grid | list[Grid]  # setting: values; several grids are run one after the other
    exclude: list[Grid] = []  # points to leave out: where every setting has the value, or one of the values
    compare: Grid = {}  # setting: the value that its other values are compared with, all else being equal
