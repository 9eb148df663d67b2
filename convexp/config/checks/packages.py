"""Check that packages which convexp installs only if they are asked for are installed."""

from importlib.util import find_spec

from convexp.errors import ConfigError


def check_package(setting: str, package: str | None) -> None:
    """Check that ``package`` is installed, if there is one; convexp has an extra of the same name.

    Raises:
        ConfigError: naming ``setting``.
    """
    if package is not None and find_spec(package) is None:
        raise ConfigError(f"{setting}: the package {package} is not installed; pip install 'convexp[{package}]'")
