"""Objects from the ``_target_`` mappings of a configuration, each checked to be of the kind that its setting needs."""

import functools
import inspect
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from convexp.config import instantiate
from convexp.config.schema import Target
from convexp.errors import ConfigError, one_line
from convexp.machine.own_code import place_in_own_code

T = TypeVar("T")


@dataclass(frozen=True)
class Maker(Generic[T]):
    """A callable that makes an object of type ``kind``.

    Attributes:
        setting: Dotted name of the setting that describes the object, used in error messages.
        partial: The target with the arguments that the configuration gives.
        kind: Type that the object must have.
    """

    setting: str
    partial: functools.partial[Any]
    kind: type[T]

    @property
    def target(self) -> str:
        """The name of what makes the object."""
        return f"{self.partial.func.__module__}.{self.partial.func.__qualname__}"

    def __call__(self, *args: Any, **kwargs: Any) -> T:
        """Call the target with its configured arguments and these.

        Raises:
            ConfigError: if the target returns an object of another type.
        """
        made = self.partial(*args, **kwargs)
        if not isinstance(made, self.kind):
            raise ConfigError(f"{self.setting}: makes a {type(made).__name__}; should make a {_qualified_name(self.kind)}")
        return made


def maker(setting: str, target: Target, kind: type[T], *provided: str) -> Maker[T]:
    """Return a callable that makes the object which ``target`` describes.

    Args:
        setting: Dotted name of the setting, used in error messages.
        target: The ``_target_`` and its configured arguments.
        kind: Type that the object must have.
        *provided: Names of the arguments that are passed later, when the callable is called.

    Raises:
        ConfigError: if the target does not exist, is a class of another kind, or does not take the configured and the
            provided arguments.
    """
    with naming_setting(setting, target):
        partial = instantiate.partial(target.spec())
        if isinstance(partial.func, type) and not issubclass(partial.func, kind):
            raise ConfigError(f"{setting}._target_={target.target}: should make a {_qualified_name(kind)}")
        inspect.signature(partial.func).bind_partial(**partial.keywords, **dict.fromkeys(provided))
    return Maker(setting, partial, kind)


def make(setting: str, target: Target, kind: type[T]) -> T:
    """Make the object which ``target`` describes.

    Raises:
        ConfigError: naming ``setting``, if the target cannot be called or returns an object of another type.
    """
    with naming_setting(setting, target):
        return maker(setting, target, kind)()


def naming_setting(setting: str, target: Target) -> AbstractContextManager[None]:
    """Turn every exception of the block into a ConfigError of one line that names ``setting`` and its target."""
    return naming(setting, target.target)


@contextmanager
def naming(setting: str, target: str) -> Generator[None]:
    """Turn every exception of the block into a ConfigError as ``naming_setting`` does."""
    try:
        yield
    except ConfigError:
        raise
    except Exception as error:
        speaks_for_itself = isinstance(error, ValueError | TypeError | ImportError | AttributeError)
        kind, place = "" if speaks_for_itself else f"{type(error).__name__}: ", place_in_own_code(error)
        raise ConfigError(f"{setting} ({target}): {kind}{one_line(error)}{place and f' ({place})'}") from None


def _qualified_name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"
