"""Where Optuna keeps the trials: an SQLite file in the sweep's folder, or a file or database of the user's own."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from optuna.storages import RDBStorage

from convexp.config.user_paths import absolute_path
from convexp.errors import ConfigError, one_line
from convexp.studies.search.settings import PREFIX, SearchSettings

FILE = "optuna.db"
DEFAULT_NAME = "search"  # of the study in the sweep's own file, which may be moved


def storage_url(settings: SearchSettings, root: Path) -> str:
    """Return the URL of the storage. A relative path starts from the working directory."""
    if settings.storage is None:
        return f"sqlite:///{(root / FILE).absolute()}"
    if "://" in settings.storage:
        return settings.storage
    return f"sqlite:///{absolute_path(f'{PREFIX}.storage', settings.storage, Path.cwd())}"


def study_name(settings: SearchSettings, root: Path) -> str:
    """Return the name that the search has in the storage."""
    return settings.study_name or (DEFAULT_NAME if settings.storage is None else root.absolute().name)


def described(url: str) -> str:
    """Return the setting with its value for a message, without a password."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        return f"{PREFIX}.storage={make_url(url).render_as_string(hide_password=True)}"
    except ArgumentError:
        return f"{PREFIX}.storage={url}"


@contextmanager
def opened_storage(url: str) -> Generator[RDBStorage]:
    """A context with the storage, which is created if there is none.

    Raises:
        ConfigError: if it cannot be opened.
    """
    try:
        storage = RDBStorage(url)
    except Exception as error:  # SQLAlchemy's, the driver's, or Optuna's own
        raise ConfigError(
            f"{described(url)}: cannot be opened ({one_line(_first_cause(error))}); name a file, or a URL of SQLAlchemy"
        ) from None
    try:
        yield storage
    finally:
        storage.remove_session()
        storage.engine.dispose()


def _first_cause(error: Exception) -> Exception:
    """What the database itself says, without the explanations of Optuna and SQLAlchemy."""
    while isinstance(error.__cause__, Exception):
        error = error.__cause__
    return error
