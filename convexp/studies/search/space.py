"""The space that is searched, in the syntax of Hydra's command line.

``a,b``, ``choice(a, b)``, ``range(1, 9, 2)``, ``interval(0, 1.5)``, ``tag(log, interval(1e-4, 1e-1))``, and for whole numbers
``int(interval(1, 8))`` and ``tag(log, int(interval(1, 64)))``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hydra.core.override_parser.types import IntervalSweep, Override
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from convexp.config.command_line.format import format_value
from convexp.config.command_line.override import parse_override
from convexp.config.schema.config import OF_THE_COMMAND
from convexp.errors import ConfigError
from convexp.studies.overrides import parse_value, sweep_texts
from convexp.studies.study import FIXED

LOG = "log"
EXAMPLE = "optimizer.lr='tag(log, interval(1e-4, 1e-1))'"


@dataclass(frozen=True)
class Dimension:
    """A setting that is searched.

    Attributes:
        setting: Its name as the command line has it; a plus in front adds it to the configuration.
        distribution: Its values. Those of a choice are texts as on the command line, as storages hold no lists.
    """

    setting: str
    distribution: BaseDistribution

    @property
    def key(self) -> str:
        """The name of the setting alone."""
        return self.setting.lstrip("+")

    def text(self, value: Any) -> str:
        """A value of the distribution as on the command line."""
        return value if isinstance(self.distribution, CategoricalDistribution) else format_value(value)

    def samples(self) -> list[str]:
        """All choices, or both ends of an interval, as on the command line."""
        found = self.distribution
        if isinstance(found, CategoricalDistribution):
            return [self.text(choice) for choice in found.choices]
        assert isinstance(found, FloatDistribution | IntDistribution)
        return [self.text(found.low), self.text(found.high)]

    def described(self) -> dict[str, Any]:
        """The values as plain data, for search.json and to compare with an earlier start."""
        found = self.distribution
        if isinstance(found, CategoricalDistribution):
            return {"choices": [parse_value(str(text)) for text in found.choices]}
        assert isinstance(found, FloatDistribution | IntDistribution)
        return {"low": found.low, "high": found.high, "step": found.step, LOG: found.log}


def parse_space(overrides: Sequence[str]) -> tuple[list[Dimension], list[str]]:
    """Split the overrides of the command line.

    Returns:
        What is searched, and the overrides that are the same for all trials.

    Raises:
        ConfigError: naming the override that is wrong, or if nothing is searched.
    """
    given = {override.get_key_element(): override for override in map(parse_override, overrides)}  # the last one counts
    searched = {key: override for key, override in given.items() if override.is_sweep_override()}
    for key, override in searched.items():
        _check_searchable(key.lstrip("+"), override)
    if not searched:
        raise ConfigError(f"hydra/sweeper=optuna: nothing is searched; name settings and their values, such as {EXAMPLE}")
    constant = [override.input_line or "" for key, override in given.items() if key not in (*searched, *OF_THE_COMMAND)]
    return [Dimension(key, _distribution(override)) for key, override in searched.items()], constant


def _check_searchable(key: str, override: Override) -> None:
    if key == "seed":
        raise ConfigError(f"{override.input_line}: a seed is not searched; hydra.sweeper.seeds=[0,1,2] gives each trial three")
    if key in (*FIXED, "name", "only_costs", "monitor", "monitor_mode") or key.split(".")[0].split("/")[0] == "hydra":
        raise ConfigError(f"{override.input_line}: is the same for all trials of a search; give it one value")


def _distribution(override: Override) -> BaseDistribution:
    value = override.value()
    if isinstance(value, IntervalSweep):
        return _interval(override, value)
    texts = list(dict.fromkeys(sweep_texts(override)))
    if not texts:
        raise ConfigError(f"{override.input_line}: has no values; name at least one")
    if not override.is_range_sweep():
        return CategoricalDistribution(texts)
    numbers = sorted(parse_value(text) for text in texts)
    step = numbers[1] - numbers[0] if len(numbers) > 1 else 1
    if all(isinstance(number, int) for number in numbers):
        return IntDistribution(numbers[0], numbers[-1], step=step)
    return CategoricalDistribution([format_value(number) for number in numbers])  # a step is seldom exact between fractions


def _interval(override: Override, value: IntervalSweep) -> BaseDistribution:
    low, high, tags = value.start, value.end, value.tags
    assert low is not None
    assert high is not None
    if unknown := sorted(tags - {LOG}):
        raise ConfigError(f"{override.input_line}: the tag {unknown[0]} has no meaning here; there is tag(log, interval(a, b))")
    if not low <= high:
        raise ConfigError(f"{override.input_line}: the lower end comes first: interval({high}, {low})")
    if LOG in tags and low <= 0:
        raise ConfigError(f"{override.input_line}: the lower end should be above 0 for a logarithmic scale")
    if isinstance(low, int) and isinstance(high, int):
        return IntDistribution(low, high, log=LOG in tags)
    return FloatDistribution(float(low), float(high), log=LOG in tags)
