"""Check the addresses of trackers."""

from importlib.metadata import entry_points
from urllib.parse import urlsplit

from convexp.config.schema import Config
from convexp.errors import ConfigError

MLFLOW = "convexp.tracking.trackers.mlflow"
DATABASES = ("sqlite", "postgresql", "mysql", "mssql")
SCHEMES = (*DATABASES, "http", "https", "databricks")
WANTED = "should be a database, sqlite:///FILE, or a server, http://HOST:PORT"


def check_tracking_uri(config: Config) -> None:
    """Check that MLflow can be at the address that it is given.

    Raises:
        ConfigError: naming the setting.
    """
    for name, target in (config.logger or {}).items():
        uri = target.spec().get("tracking_uri")
        if target.target == MLFLOW and isinstance(uri, str) and (reason := _wrong(uri)):
            raise ConfigError(f"logger.{name}.tracking_uri={uri}: {reason}")


def _wrong(uri: str) -> str | None:
    """What is wrong with an address; None if nothing is."""
    scheme = "databricks" if uri == "databricks" else urlsplit(uri).scheme
    if scheme in ("", "file"):
        return (
            None if _has_folders() else f"{WANTED}; this MLflow keeps runs in a folder only with MLFLOW_ALLOW_FILE_STORE=true"
        )
    kind, _, driver = scheme.partition("+")
    known = kind in DATABASES if driver else scheme in SCHEMES or scheme in _plugins()
    return None if known else WANTED


def _plugins() -> set[str]:
    """The schemes that other packages add to MLflow."""
    return {entry.name for entry in entry_points(group="mlflow.tracking_store")}


def _has_folders() -> bool:
    """Whether MLflow keeps runs in a folder, which it always did before there was a switch for it."""
    try:
        from mlflow import environment_variables  # pyright: ignore
    except ImportError:  # another check says that it is not installed
        return True
    switch = getattr(environment_variables, "MLFLOW_ALLOW_FILE_STORE", None)
    return switch is None or bool(switch.get())
