"""The section ``study``: a question, and the grid of runs that answers it."""

from typing import Annotated, Any

from pydantic import Field, WithJsonSchema

from convexp.config.schema.claim import Claim
from convexp.config.schema.section import Section

Grid = dict[str, Any]


class Study(Section):
    """What a study asks, which runs answer it (``convexp.studies.grid``), and what is compared with what (conf/study/)."""

    name: str = Field(min_length=1, description="name of the study, and of its folder below outputs/studies")
    question: str = Field(min_length=1, description="what the study asks, in a sentence: the title of its report")
    grid: Grid | list[Grid] = Field(
        description="setting: values, all combinations of which are run; of a list of grids, one grid after the other"
    )
    exclude: list[Grid] = Field(
        default=[], description="points to leave out: those at which every setting has the value, or one of the values"
    )
    compare: Grid = Field(
        default={}, description="the baseline, setting: the value that its other values are compared with, all else being equal"
    )
    claims: Annotated[list[Claim], WithJsonSchema({"type": "array", "items": {"type": "object"}})] = Field(
        default=[],
        exclude=True,  # in the plan of the study, not in the record of each run
        description="what papers claim of these runs, and how each claim is decided (conf/study/paper/)",
    )
