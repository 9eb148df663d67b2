"""A configuration of the space, before any trial: what is wrong with the whole space is said before anything is written."""

import copy
from collections.abc import Sequence

from omegaconf import DictConfig

from convexp.config import Config
from convexp.config.checked_ahead import check_ahead
from convexp.config.command_line.groups import normalize_choice
from convexp.config.hydra_context import hydra_values
from convexp.errors import ConfigError
from convexp.studies.composer import Composer
from convexp.studies.search.space import Dimension


def valid_example(cfg: DictConfig, composer: Composer, space: Sequence[Dimension], constant: Sequence[str]) -> Config:
    """Return the configuration at the first end of the space, or if that is not valid, at the last.

    Every choice is composed, too, so that a misspelled one is found now. Other combinations may be wrong: their trials fail.

    Args:
        cfg: The configuration of the sweep.
        composer: Composes the configurations of runs.
        space: What is searched.
        constant: The overrides that are the same for all trials.

    Raises:
        HydraException: if a configuration cannot be composed, as for a setting that does not exist.
        ConfigError: what is wrong at the first end, if both are wrong.
    """
    samples = [dimension.samples() for dimension in space]
    first = [values[0] for values in samples]
    for index, values in enumerate(samples):
        for value in values[1:]:
            _compose(cfg, composer, space, constant, [*first[:index], value, *first[index + 1 :]])
    composed = (_compose(cfg, composer, space, constant, [values[end] for values in samples]) for end in (0, -1))
    try:
        return check_ahead(next(composed))
    except ConfigError as error:
        try:
            return check_ahead(next(composed))
        except ConfigError:
            raise error from None


def _compose(
    cfg: DictConfig, composer: Composer, space: Sequence[Dimension], constant: Sequence[str], values: list[str]
) -> DictConfig:
    texts = [f"{dimension.setting}={value}" for dimension, value in zip(space, values, strict=True)]
    with hydra_values(copy.deepcopy(cfg)):
        return composer.compose(0, [normalize_choice(text, composer.sources) for text in (*constant, *texts)])
