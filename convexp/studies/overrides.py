"""The values of a setting as Hydra's command line writes them: one value, a list, or a range."""

import itertools
from typing import Any

from hydra.core.override_parser.types import Override
from hydra.errors import HydraException

from convexp.config.command_line.override import parse_override
from convexp.errors import ConfigError

MAX_RUNS = 100_000  # of a sweep: each run is listed, composed and gets a folder


def parse_value(text: str) -> Any:
    """Parse one value of Hydra's command line; the inverse of ``convexp.config.command_line.format.format_value``."""
    return parse_override(f"x={text}").value()


def sweep_texts(override: Override) -> list[str]:
    """The values that an override sweeps over, in order, as text; one value if it does not sweep.

    Raises:
        ConfigError: if the values cannot be listed, or are more than ``MAX_RUNS``.
    """
    if not override.is_sweep_override():
        return [override.get_value_element_as_str()]
    if not override.is_discrete_sweep():
        raise ConfigError(
            f"{override.input_line}: is no list of values, as a grid needs; use a,b,c, choice(...) or range(...), "
            "or search between two numbers with hydra/sweeper=optuna"
        )
    try:
        texts = list(itertools.islice(override.sweep_string_iterator(), MAX_RUNS + 1))
    except (HydraException, ValueError) as error:  # glob, which lists files; a range with a step of 0
        raise ConfigError(f"{override.input_line}: {error}; name the values") from None
    if len(texts) > MAX_RUNS:
        raise ConfigError(f"{override.input_line}: has more than {MAX_RUNS:,} values, the most that a sweep may have")
    return texts


def grid_values(setting: str, values: Any) -> list[Any]:
    """The values of one line of a grid as a list: ``values`` is a list, a single value, or a text such as ``range(5)``."""
    if isinstance(values, str):
        return [parse_value(text) for text in sweep_texts(parse_override(f"{setting}={values}"))]
    return list(values) if isinstance(values, list | tuple) else [values]
