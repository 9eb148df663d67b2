"""Objects from plain mappings that name them by ``_target_``.

Unlike Hydra's function of this name, it interprets nothing in the mapping: a string stays the string it is, so that what has
been checked is what is built.
"""

import functools
import pkgutil
from typing import Any

TARGET, PARTIAL = "_target_", "_partial_"


def instantiate(value: Any) -> Any:
    """``value`` with every mapping that has a ``_target_``, however deep in mappings and lists, replaced by what it describes.

    That is a call of the target with the mapping's other entries by name, or with ``_partial_: true`` a ``functools.partial``.

    Raises:
        ImportError, AttributeError: if there is no such target.
    """
    if isinstance(value, list):
        return [instantiate(item) for item in value]
    if not isinstance(value, dict):
        return value
    if TARGET not in value:
        return {key: instantiate(item) for key, item in value.items()}
    described = partial(value)
    return described if value.get(PARTIAL, False) else described()


def partial(mapping: dict[str, Any]) -> functools.partial[Any]:
    """The target of ``mapping`` with the other entries, themselves instantiated, as keyword arguments.

    Raises:
        ImportError, AttributeError: if there is no such target.
    """
    arguments = {key: instantiate(item) for key, item in mapping.items() if key not in (TARGET, PARTIAL)}
    return functools.partial(located(mapping[TARGET]), **arguments)


def located(name: str) -> Any:
    """What ``package.module.Name`` or ``package.module.Class.method`` names.

    Raises:
        ImportError, AttributeError, ValueError: if there is nothing of this name.
    """
    module, _, attribute = name.rpartition(".")
    try:
        return pkgutil.resolve_name(f"{module}:{attribute}")
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):  # the module is there, and lacks something else
            raise
        return pkgutil.resolve_name(name)
