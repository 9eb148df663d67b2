"""Check the optimizer's groups of parameters, of which torch would take any argument without a word."""

from convexp.config.checks.targets import check_known
from convexp.config.schema import Config
from convexp.config.signatures.settable import settable_arguments
from convexp.config.signatures.signature import read_signature


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
        check_known(f"optimizer.groups.{name}", group.overrides, signature, settable)
