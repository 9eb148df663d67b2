"""Check the optimizer's groups of parameters, of which torch would take any argument without a word."""

from convexp.config.messages.suggestions import suggest
from convexp.config.messages.validation import show_value
from convexp.config.schema import Config
from convexp.config.signatures.settable import settable_arguments
from convexp.config.signatures.signature import read_signature
from convexp.config.signatures.value_types import describe_values, matches
from convexp.errors import ConfigError


def check_groups(config: Config) -> None:
    """Check that what a group says beside its rule is an argument of the optimizer.

    Raises:
        ConfigError: naming the setting.
    """
    target = config.optimizer.target
    signature = read_signature(target)
    if signature is None:
        return
    settable = settable_arguments("optimizer", target)
    for name, group in (config.optimizer.groups or {}).items():
        for argument, value in group.overrides.items():
            setting = f"optimizer.groups.{name}.{argument}"
            if argument not in settable and not signature.open:
                raise ConfigError(f"{setting}: there is no such setting{suggest(argument, settable)}")
            schema = signature.schemas.get(argument, {})
            if not matches(value, schema):
                raise ConfigError(f"{setting}={show_value(value)}: should be {describe_values(schema)}")
