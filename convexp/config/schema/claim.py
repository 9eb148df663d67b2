"""A claim of the literature: what a paper says, and how a study measures whether it holds (``study.claims``)."""

from typing import Any, Literal

from pydantic import Field, model_validator

from convexp.config.schema.section import Section

Settings = dict[str, Any]
EXPECTATIONS = ("above", "below", "within")
MEMBERS = "members"  # among the settings of a claim: it is about ensembles of so many runs (docs/runs_and_studies.md)


class Exponent(Section):
    """Samples needed as a power of a size of the problem: the exponent (``convexp.reporting.claims.exponents``)."""

    samples: str = Field(default="data.train_size", description="the setting that is the number of samples")
    size: str = Field(description="the setting that is the size of the problem; of a list, such as a shape, the product counts")
    threshold: float = Field(description="the value of the metric at which the samples are enough")


class Claim(Section):
    """A claim of a paper, and the number of each seed that it is about.

    The number of a seed is the metric of the runs ``of``, or the exponent of the samples that they need; where there is
    ``minus``, less that of the same seed there. ``convexp.reporting.claims.verdict`` says what follows from its interval.
    """

    paper: str = Field(min_length=1, description="its authors and year")
    arxiv: str = Field(pattern=r"^\d{4}\.\d{4,5}$", description="its number on arXiv, in quotes")
    where: str = Field(min_length=1, description="the section, table or file that says so")
    known_from: Literal["text", "code", "formulas", "notes"] = Field(
        description="where we have it from: the paper's text, code or formulas, or the notes of others on it"
    )
    says: str = Field(min_length=1, description="what it says, in a sentence")
    published: str | None = Field(default=None, description="its number, with unit and n; null: it has none that we cite")
    metric: str = Field(min_length=1, description="the metric of a run, such as test/acc")
    exponent: Exponent | None = Field(default=None, description="of the samples needed, in place of the metric itself")
    of: Settings = Field(
        default={}, description="the runs that it is about, setting: value; with members: 10 the means over ten of them"
    )
    minus: Settings | None = Field(default=None, description="the runs that they are compared with, seed by seed")
    cases: list[Settings] = Field(
        default=[{}],
        min_length=1,
        description="further settings of both, as far as the runs compared with have them; the claim is decided for each case",
    )
    above: float | None = Field(default=None, description="the claim: the number is above this")
    below: float | None = Field(default=None, description="the claim: the number is below this")
    within: list[float] | None = Field(
        default=None, min_length=2, max_length=2, description="the claim: the number is between these two"
    )

    exact: bool = Field(
        default=False, description="the number follows from how the network is built: equal values of three seeds show it"
    )

    @model_validator(mode="after")
    def _expects_one_thing(self) -> "Claim":
        given = [name for name in EXPECTATIONS if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"Input should have one of {', '.join(EXPECTATIONS)}, not {' and '.join(given) or 'none'}")
        if self.within and self.within[0] > self.within[1]:
            raise ValueError("Input should have the smaller end of within first")
        return self

    @property
    def is_about_ensembles(self) -> bool:
        """Whether it names a number of members."""
        return any(MEMBERS in settings for settings in (self.of, self.minus or {}, *self.cases))

    @property
    def range(self) -> tuple[float, float]:
        """The numbers for which the claim is true, infinite where it has no end."""
        if self.within:
            return self.within[0], self.within[1]
        return (
            float("-inf") if self.above is None else self.above,
            float("inf") if self.below is None else self.below,
        )
