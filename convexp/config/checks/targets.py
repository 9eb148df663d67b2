"""Check the settings beside each ``_target_`` against the arguments that it takes."""

from collections.abc import Collection, Mapping
from typing import Any

from convexp.config.importable import module_exists
from convexp.config.instantiate import PARTIAL, TARGET
from convexp.config.messages.suggestions import suggest
from convexp.config.messages.validation import show_value
from convexp.config.schema import Config, Probing, Target
from convexp.config.signatures.annotations import ValueSchema
from convexp.config.signatures.settable import PROVIDED_UNLESS_GIVEN, provided_arguments, settable_arguments
from convexp.config.signatures.signature import Signature, read_signature
from convexp.config.signatures.value_types import describe_values, matches
from convexp.errors import ConfigError

STEPS = "total_steps"  # the schedule gets it by name
# The targets of these sections are built later, with further arguments.
PARTIAL_SECTIONS = ("model.wiring", "task", "optimizer", "scheduler", "logger")


def check_targets(config: Config | Probing) -> None:
    """Check that every setting beside a ``_target_`` is an argument of it and fits its annotation, and that none is missing.

    Raises:
        ConfigError: naming the setting, with the most similar name that exists, or what its value should be.
    """
    for setting, target in config.targets().items():
        check_target(setting, target)


def check_target(setting: str, target: Target) -> None:
    """Check the settings beside one ``_target_``.

    Raises:
        ConfigError: as ``check_targets`` does.
    """
    _check_partial(setting, target)
    signature = _read_signature(setting, target)
    if signature is not None:
        _check_arguments(setting, target, signature)


def is_built_later(setting: str) -> bool:
    """Whether the target at ``setting`` is built with further arguments, so that it says ``_partial_: true``."""
    return setting in PARTIAL_SECTIONS or setting.partition(".")[0] in PARTIAL_SECTIONS


def _check_partial(setting: str, target: Target) -> None:
    expected = is_built_later(setting)
    given = target.spec().get(PARTIAL, False)
    if given is not expected:
        raise ConfigError(f"{setting}.{PARTIAL}={str(given).lower()}: should be {str(expected).lower()}")


def _read_signature(setting: str, target: Target) -> Signature | None:
    if "." not in target.target:
        raise ConfigError(f"{setting}.{TARGET}={target.target}: should be package.module.Name")
    _check_installed(setting, target.target)
    try:
        return read_signature(target.target)
    except LookupError:
        raise ConfigError(f"{setting}.{TARGET}={target.target}: there is no such name in convexp") from None


def _check_installed(setting: str, name: str) -> None:
    """Check that the top-level module of a target can be found, without importing it."""
    module = name.partition(".")[0]
    if not module_exists(module):
        raise ConfigError(
            f"{setting}.{TARGET}={name}: there is no module {module}; install it, or name the folder that it lies in, "
            "pythonpath=[DIR]"
        )


def _check_arguments(setting: str, target: Target, signature: Signature) -> None:
    arguments = {name: value for name, value in target.spec().items() if name not in (TARGET, PARTIAL)}
    if setting == "scheduler" and not signature.open and STEPS not in signature.schemas:
        raise ConfigError(
            f"{setting}.{TARGET}={target.target}: takes no {STEPS}, which is the number of steps of the training; should be a "
            f"class or function that is called with optimizer and {STEPS}, such as one of yours that makes this schedule"
        )
    check_known(setting, arguments, signature, settable_arguments(setting, target.target))
    provided = provided_arguments(setting) | PROVIDED_UNLESS_GIVEN.get(setting, set())
    for name in sorted(signature.required - provided - set(arguments)):
        raise ConfigError(f"{setting}.{name}: is missing")


def check_known(setting: str, arguments: Mapping[str, Any], signature: Signature, settable: Collection[str]) -> None:
    """Check that arguments are settable and fit their annotations.

    Args:
        setting: Name of the section that has the arguments as settings.
        arguments: Values by name.
        signature: Signature of what takes them.
        settable: Names of the arguments that can be set.

    Raises:
        ConfigError: naming the setting, with the most similar name that exists, or what its value should be.
    """
    for name, value in sorted(arguments.items()):
        if name not in settable and not signature.open:
            raise ConfigError(f"{setting}.{name}: there is no such setting{suggest(name, settable)}")
        _check_value(f"{setting}.{name}", value, signature.schemas.get(name, {}))


def _check_value(setting: str, value: Any, schema: ValueSchema) -> None:
    is_target = isinstance(value, dict) and TARGET in value
    if is_target or matches(value, schema):
        return
    is_number = isinstance(value, int | float)
    hint = f"; quote a number, as in '\"{value}\"'" if is_number and matches(str(value), schema) else ""
    raise ConfigError(f"{setting}={show_value(value)}: should be {describe_values(schema)}{hint}")
