"""Build objects from plain mappings that name a class or function by ``_target_``.

Unlike Hydra's function of the same name, ``instantiate`` interprets nothing in the mapping: a string stays the string that was
checked.
"""

import functools
import pkgutil
from typing import Any

from convexp.machine.own_code import check_imported

TARGET, PARTIAL = "_target_", "_partial_"


def instantiate(value: Any) -> Any:
    """``value`` with every mapping that has a ``_target_``, at any depth, replaced by the object it describes.

    The object is the result of calling the target with the other entries of the mapping as keyword arguments, or, with
    ``_partial_: true``, a ``functools.partial`` of the target and these arguments.

    Raises:
        ImportError, AttributeError: if there is no such target.
    """
    if isinstance(value, list):
        return [instantiate(item) for item in value]
    if not isinstance(value, dict):
        return value
    if TARGET not in value:
        return {key: instantiate(item) for key, item in value.items()}
    call = partial(value)
    return call if value.get(PARTIAL, False) else call()


def partial(mapping: dict[str, Any]) -> functools.partial[Any]:
    """The target of ``mapping`` with the other entries, themselves instantiated, as keyword arguments.

    Raises:
        ImportError, AttributeError: if there is no such target.
    """
    arguments = {key: instantiate(item) for key, item in mapping.items() if key not in (TARGET, PARTIAL)}
    return functools.partial(locate(mapping[TARGET]), **arguments)


def locate(name: str) -> Any:
    """The object that ``package.module.Name`` or ``package.module.Class.method`` names.

    Raises:
        ImportError, AttributeError, ValueError: if there is no object of this name, or if this process has imported the module
            of another folder that has the same name.
    """
    found = _resolve(name)
    check_imported(name)
    return found


def _resolve(name: str) -> Any:
    module, _, attribute = name.rpartition(".")
    try:
        return pkgutil.resolve_name(f"{module}:{attribute}")
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(
            f"{error.name}."
        ):  # the module exists, one that it imports does not
            raise
        return pkgutil.resolve_name(name)
