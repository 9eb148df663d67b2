"""Check that packages which convexp installs only if they are asked for are installed."""

from importlib.util import find_spec

from convexp.errors import ConfigError


def check_package(setting: str, package: str | None, extra: str | None = None) -> None:
    """Check that ``package`` is installed, if there is one.

    Args:
        setting: The setting that needs it.
        package: Name of the package.
        extra: The extra of convexp that installs it; None if it has the name of the package.

    Raises:
        ConfigError: naming ``setting``.
    """
    if package is not None and find_spec(package) is None:
        raise ConfigError(f"{setting}: the package {package} is not installed; pip install 'convexp[{extra or package}]'")
