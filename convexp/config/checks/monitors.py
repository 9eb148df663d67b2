"""Check that what is monitored is logged, and that it is known which way it improves."""

from convexp.config.schema import Config
from convexp.config.schema.monitors import direction
from convexp.errors import ConfigError


def check_monitors(config: Config) -> None:
    """Check ``monitor`` and the metrics that callbacks monitor, as far as they are known before the task is built.

    Raises:
        ConfigError: naming the setting.
    """
    check_logged(config, config.task.logged())
    if config.monitor_mode is None and direction(config.monitor) is None:
        raise ConfigError(
            f"monitor={config.monitor}: its name does not tell whether a larger value is better; set monitor_mode=max or "
            "monitor_mode=min"
        )


def check_logged(config: Config, logged: tuple[str, ...] | None) -> None:
    """Check that the monitored metrics are among those that are logged.

    Args:
        config: The configuration.
        logged: Names of the logged metrics; None if they are not known.

    Raises:
        ConfigError: naming the setting.
    """
    monitored = {"monitor": config.monitor}
    for name, target in (config.callbacks or {}).items():
        if (monitor := target.spec().get("monitor")) is not None:
            monitored[f"callbacks.{name}.monitor"] = monitor
    for setting, metric in monitored.items():
        known = logged if setting != "monitor" or logged is None else [name for name in logged if name.startswith("val/")]
        if known is not None and metric not in known:
            hint = f"should be one of {', '.join(known)}" if known else "the task logs no metric val/..., such as val/loss"
            raise ConfigError(f"{setting}={metric}: is not logged; {hint}")
