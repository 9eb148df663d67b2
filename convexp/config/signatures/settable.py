"""Which arguments of a ``_target_`` are settings, and which ones convexp passes when it builds the object."""

from convexp.config.signatures.signature import read_signature

# Arguments that the skeleton, the trainer or the run passes; no YAML file gives them.
PROVIDED_ARGUMENTS = {
    "model.wiring": {
        "in_channels",
        "out_channels",
        "kernel_size",
        "input_size",
        "stride",
        "padding",
        "dilation",
        "padding_mode",
    },
    "task": {"network", "make_optimizer", "make_scheduler"},
    "optimizer": {"params"},
    "scheduler": {"optimizer", "total_steps"},
    "logger": {"folder", "purge_step"},
}

# Arguments that convexp passes if the callable takes them by name and the YAML file does not give them.
PROVIDED_UNLESS_GIVEN = {"model.network": {"input_shape", "outputs"}}


def provided_arguments(setting: str) -> set[str]:
    """Names of the arguments that convexp itself passes to the target at ``setting``, such as ``logger.csv``.

    Those of ``PROVIDED_UNLESS_GIVEN`` are not among them: they are settings, too.
    """
    return PROVIDED_ARGUMENTS.get(setting, PROVIDED_ARGUMENTS.get(setting.split(".", maxsplit=1)[0], set[str]()))


def settable_arguments(setting: str, target: str | None) -> list[str]:
    """Names of the arguments of the target at ``setting`` that are settings; an empty list if they are not known."""
    try:
        signature = None if target is None else read_signature(target)
    except LookupError:
        return []
    return [] if signature is None else [name for name in signature.schemas if name not in provided_arguments(setting)]


def takes_setting(path: str, target: str) -> bool:
    """Whether ``target`` has an argument for the setting at ``path``, although no YAML file names it."""
    parent, _, name = path.rpartition(".")
    return name in settable_arguments(parent, target)
