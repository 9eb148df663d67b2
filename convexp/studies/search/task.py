"""What a search is about. Trials of one search have all of it in common, so another start has to be about the same."""

from dataclasses import asdict, dataclass
from typing import Any

from convexp.config import Config
from convexp.config.schema.monitors import direction
from convexp.errors import ConfigError
from convexp.records.settings import display_value, flatten
from convexp.records.values import same_value
from convexp.studies.search.settings import PREFIX, Direction, SearchSettings
from convexp.studies.search.space import Dimension

RISES: dict[str, Direction] = {"max": "maximize", "min": "minimize"}
COST = "cost/"  # begins the names of the only metrics of runs that are not trained
MAX_NAMED = 3  # differences in a message


@dataclass(frozen=True)
class SearchTask:
    """What all trials of a search have in common.

    Attributes:
        space: The values of each setting that is searched.
        metric: The metric that is optimised.
        direction: ``minimize`` or ``maximize``.
        seeds: The seeds of each trial.
        settings: Every setting that can change a result, at one end of the space, by its dotted name.
    """

    space: dict[str, dict[str, Any]]
    metric: str
    direction: Direction
    seeds: list[int]
    settings: dict[str, Any]

    def as_attribute(self) -> dict[str, Any]:
        """Return the task as the storage keeps it."""
        return asdict(self)

    def differences(self, before: dict[str, Any]) -> list[str]:
        """Return what differs from the task of an earlier start, as ``setting=value, before value``."""
        now, other = ({**task, **task["settings"]} for task in (self.as_attribute(), {"settings": {}, **before}))
        keys = [key for key in {**other, **now} if key != "settings" and not same_value(other.get(key), now.get(key))]
        if "space" in keys:
            spaces = (now["space"], other.get("space") or {})
            searched = [key for key in {**spaces[1], **spaces[0]} if not same_value(*(space.get(key) for space in spaces))]
            return [_difference(key, *(space.get(key) for space in spaces)) for key in searched]
        return [_difference(key, now.get(key), other.get(key)) for key in keys]


def make_task(settings: SearchSettings, space: list[Dimension], config: Config) -> SearchTask:
    """Return the task of a search.

    Args:
        settings: The settings of the search.
        space: What is searched.
        config: The configuration of a run at one end of the space.

    Raises:
        ConfigError: if the runs do not have the metric, or it is not known which way it improves.
    """
    metric = settings.metric or config.monitor
    if config.only_costs and not metric.startswith(COST):
        raise ConfigError(
            f"{PREFIX}.metric={settings.metric or 'null'}: runs with only_costs=true have no {metric}; "
            f"name a metric such as {COST}parameters"
        )
    if settings.pruner and metric != config.monitor:
        raise ConfigError(
            f"{PREFIX}.pruner={settings.pruner}: stops runs by what they monitor, {config.monitor}, "
            f"but {PREFIX}.metric={metric}"
        )
    identity = config.identity()
    identity.pop("seed", None)
    return SearchTask(
        space={dimension.key: dimension.described() for dimension in space},
        metric=metric,
        direction=settings.direction or _direction(metric, config),
        seeds=list(settings.seeds or (config.seed,)),
        settings=flatten(identity),
    )


def _direction(metric: str, config: Config) -> Direction:
    if metric == config.monitor:
        return RISES[config.improvement]
    known = "min" if metric.startswith(COST) else direction(metric)
    if known is None:
        raise ConfigError(
            f"{PREFIX}.metric={metric}: its name does not tell whether a larger value is better; set "
            f"{PREFIX}.direction=maximize or {PREFIX}.direction=minimize"
        )
    return RISES[known]


def _difference(key: str, now: Any, before: Any) -> str:
    return f"{key}={shown_space(now)}, before {shown_space(before)}"


def shown_space(value: Any) -> str:
    """Return what a setting of the space may be, or any other value, as text."""
    if not isinstance(value, dict):
        return display_value(value)
    if "choices" in value:
        return display_value(value["choices"])
    return f"interval({value.get('low')},{value.get('high')}){' log' if value.get('log') else ''}"
