"""From a composed configuration to a checked ``Config``, or one line that says what is wrong with which setting."""

import difflib
import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from pydantic import BaseModel, ValidationError

from convexp.config.environment import check_environment
from convexp.config.folders import check_name
from convexp.config.instantiate import PARTIAL, TARGET
from convexp.config.kinds import fits, words
from convexp.config.limits import check_limits
from convexp.config.places import make_absolute
from convexp.config.plain import check_plain
from convexp.config.renamed import renamed
from convexp.config.schema import Config, Target
from convexp.config.targets import signature
from convexp.errors import ConfigError
from convexp.geometry.placement import ShiftProtocol, largest_shift

# What the skeleton, the data module or the run hands over when it builds the target, so that no YAML has to.
PROVIDED = {
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
    "optimizer": {"params"},
    "scheduler": {"optimizer", "total_steps"},
    "logger": {"folder", "purge_step"},
}
LONGEST = 200  # characters of a value that are shown
MADE_LATER = ("model", "optimizer", "scheduler", "logger")  # settings that are ``_partial_``
MOVED = "; if it is a run's that has moved, say where it lies now: data_root=FOLDER"


def load(cfg: DictConfig, base: Path | None = None) -> Config:
    """Check a composed configuration, and make its paths absolute, in ``cfg`` too.

    Args:
        cfg: the configuration.
        base: the folder that relative paths are seen from; None for the working directory.

    Raises:
        ConfigError: naming the setting, its value and what would be right.
    """
    _check_missing(OmegaConf.to_container(cfg, resolve=False))
    try:
        make_absolute(cfg, base or Path.cwd())
        values = OmegaConf.to_container(cfg, resolve=True, throw_on_missing=True)
    except OmegaConfBaseException as error:
        raise ConfigError(f"{error.full_key or 'configuration'}: {str(error).splitlines()[0]}") from None
    assert isinstance(values, dict)
    config = parsed(values)
    check_name("name", config.name)  # here alone: the folder of a run that is read has its name
    return checked(config)


def parsed(values: Mapping[Any, Any]) -> Config:
    """A configuration of plain values, each of which has the type and the range that the schema says.

    Raises:
        ConfigError: naming the setting, its value and what would be right.
    """
    _check_missing(values)
    check_plain(values)
    check_packages(values)
    try:
        return Config.model_validate(renamed(values))
    except ValidationError as error:
        raise ConfigError(explained(error)) from None


def checked(config: Config) -> Config:
    """The configuration, once its targets are found to take their settings, and its settings to go with each other.

    Raises:
        ConfigError: naming the setting, its value and what would be right.
    """
    check_environment()
    check_targets(config)
    check_geometry(config)
    check_probes(config)
    check_data(config)
    check_combinations(config)
    check_limits(config)
    return config


def explained(error: ValidationError, within: str = "") -> str:
    """What pydantic found wrong, each as ``setting=value: what would be right``; ``within`` is where the settings belong."""
    errors: Sequence[Mapping[str, Any]] = error.errors()
    return "; ".join(_explain({**e, "loc": (*([within] if within else []), *e["loc"])}) for e in errors[:3])


def _check_missing(values: Any) -> None:
    if missing := _missing(values):
        raise ConfigError(f"{', '.join(missing)}: {'is' if len(missing) == 1 else 'are'} missing; say {missing[0]}=...")


def _missing(value: Any, path: str = "") -> list[str]:
    """Settings that a YAML leaves to the user (``???``); those that refer to them count as said."""
    if isinstance(value, dict):
        return [found for key, item in value.items() for found in _missing(item, f"{path}.{key}" if path else str(key))]
    return [path] if value == "???" else []


def _explain(error: Mapping[str, Any]) -> str:
    """One pydantic error as ``setting=value: what would be right``."""
    setting = ".".join(str(part) for part in error["loc"] if not _is_union_branch(part))
    value, message = error["input"], str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        return f"{setting}: there is no such setting{suggest_setting(setting)}"
    if error["type"] == "missing":
        return f"{setting}: is missing"
    if setting == "match":
        message = "Input should be units, params:N or flops:N with a whole number N, as in match=params:50000"
    return f"{setting}={_shown(value)}: {message.replace('Input should', 'should')}"


def _shown(value: Any) -> str:
    text = "null" if value is None else str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def _is_union_branch(part: Any) -> bool:
    return isinstance(part, str) and (part in ("int", "float", "bool", "str", "constrained-int") or "[" in part)


def _settings_at(path: str) -> Iterable[str]:
    """Names of the settings below ``path``."""
    section: Any = Config
    for part in filter(None, path.split(".")):
        field = section.model_fields.get(part)
        section = field.annotation if field is not None else None
        if not (isinstance(section, type) and issubclass(section, BaseModel)):
            return ()
    return [field.alias or name for name, field in section.model_fields.items()]


def suggest(name: str, known: Iterable[str]) -> str:
    """The one of ``known`` that ``name`` is like, or all."""
    known = [k for k in known if not k.startswith("_")]
    close = difflib.get_close_matches(name, known, n=1)
    if close:
        return f"; did you mean {close[0]}?"
    return f"; there are {', '.join(known)}" if known else ""


def suggest_setting(path: str, target: str | None = None) -> str:
    """What a setting that does not exist may have been meant to be; ``target`` is the ``_target_`` beside it."""
    parent, _, name = path.rpartition(".")
    return suggest(name, dict.fromkeys([*_settings_at(parent), *_taken(parent, target)]))


def takes(path: str, target: str) -> bool:
    """Whether ``target`` takes the setting at ``path``, although no YAML names it."""
    parent, _, name = path.rpartition(".")
    return name in _taken(parent, target)


def _taken(setting: str, target: str | None) -> list[str]:
    """Names that a ``_target_`` at ``setting`` takes from the configuration."""
    try:
        known = None if target is None else signature(target)
    except LookupError:
        return []
    return [] if known is None else [name for name in known.kinds if name not in _provided(setting)]


def _provided(setting: str) -> set[str]:
    return PROVIDED.get(setting, PROVIDED.get(setting.split(".", maxsplit=1)[0], set[str]()))


def check_packages(values: Mapping[Any, Any]) -> None:
    """Files of some groups change settings of all sections, and have to say so.

    Raises:
        ConfigError: naming the group of a file that does not.
    """
    study: Any = values.get("study")
    unsaid = [group for group in ("local", "experiment", "debug") if values.get(group) is not None]
    if unsaid or (isinstance(study, dict) and "study" in study):
        group = unsaid[0] if unsaid else "study"
        raise ConfigError(
            f"{group}: its file should have '# @package _global_' as its first line, or its settings mean nothing"
        )


def check_targets(config: Config) -> None:
    """Every setting beside a ``_target_`` must be an argument of it and fit its annotation, and none may be missing.

    Raises:
        ConfigError: naming the setting, with the nearest name that exists, or what its value should be.
    """
    for setting, target in config.targets().items():
        _check_target(setting, target)


def _check_target(setting: str, target: Target) -> None:
    later, given_partial = setting.partition(".")[0] in MADE_LATER, target.spec().get(PARTIAL, False)
    if given_partial is not later:
        raise ConfigError(f"{setting}.{PARTIAL}={str(given_partial).lower()}: should be {str(later).lower()}")
    if "." not in target.target:
        raise ConfigError(f"{setting}._target_={target.target}: should be package.module.Name")
    try:
        known = signature(target.target)
    except LookupError:
        raise ConfigError(f"{setting}._target_={target.target}: there is no such name in convexp") from None
    if known is None:
        return
    given = {name: value for name, value in target.spec().items() if name not in (TARGET, PARTIAL)}
    settable = _taken(setting, target.target)
    for name, value in sorted(given.items()):
        if name not in settable and not known.open:
            raise ConfigError(f"{setting}.{name}: there is no such setting{suggest(name, settable)}")
        allowed = known.kinds.get(name, {})
        nested = isinstance(value, dict) and TARGET in value
        if not nested and not fits(value, allowed):
            is_number = isinstance(value, int | float)
            quote = f"; quote a number, as in '\"{value}\"'" if is_number and fits(str(value), allowed) else ""
            raise ConfigError(f"{setting}.{name}={_shown(value)}: should be {words(allowed)}{quote}")
    for name in sorted(known.required - _provided(setting) - set(given)):
        raise ConfigError(f"{setting}.{name}: is missing")


def check_geometry(config: Config) -> None:
    """The canvas must hold the image, wherever it lies, and every kernel, border and pooling window fit what it slides over.

    Raises:
        ConfigError: naming the setting or the stage.
    """
    data, model = config.data, config.model
    try:
        model.skeleton(data.input_shape, data.classes).sizes()
    except ValueError as error:
        text = str(error)
        raise ConfigError(text if text.startswith(("model.", "data.")) else f"model.{_dotted(text)}") from None


def check_probes(config: Config) -> None:
    """A probe cannot shift images off their canvas, nor by a protocol that does not exist or has no room.

    Raises:
        ConfigError: naming the setting.
    """
    placement = config.data.placement()
    rooms = zip(placement.canvas_size, placement.input_size, largest_shift(placement.test), strict=True)
    room = max(0, min((canvas - window) // 2 - shifted for canvas, window, shifted in rooms))  # test images are shifted already
    for name, probe in (config.probes or {}).items():
        settings = probe.spec()
        protocol = settings.get("protocol", "zero_fill")
        if "protocol" in settings and protocol not in get_args(ShiftProtocol):
            raise ConfigError(f"probes.{name}.protocol={protocol}: should be one of {', '.join(get_args(ShiftProtocol))}")
        limit = room if protocol == "crop" else min(placement.input_size) - 1
        why = "on this canvas" if protocol != "crop" else "as the window (data.shift.window) has to stay on the canvas"
        for setting in ("step", "displacement", "cutoff"):
            if isinstance(value := settings.get(setting), int | float) and value > (most := min(placement.input_size)):
                raise ConfigError(f"probes.{name}.{setting}={value}: should be {most} at most for images of {most} pixels")
        for setting in ("max_shift", "pixels"):
            reach = settings.get(setting)
            if isinstance(reach, int) and limit < 1:
                raise ConfigError(f"probes.{name}.{setting}={reach}: there is no room to shift {why}")
            if isinstance(reach, int) and not 1 <= reach <= limit:
                raise ConfigError(f"probes.{name}.{setting}={reach}: should lie between 1 and {limit} {why}")


def _dotted(text: str) -> str:
    """``stage 1: kernel_size=9 is ...`` as ``kernel_size=9 (stage 1): is ...``."""
    if not text.startswith("stage "):
        return text
    stage, _, rest = text.partition(": ")
    setting, _, reason = rest.partition(" ")
    return f"{setting} ({stage}): {reason}"


def check_data(config: Config) -> None:
    """A folder or file of data that was named must exist.

    Raises:
        ConfigError: naming it and what to do.
    """
    source = config.data.source.spec()
    file, root = source.get("file"), source.get("root")
    for setting, path in (("file", file), ("root", root)):
        if path is not None and not isinstance(path, str):
            raise ConfigError(f"data.source.{setting}={path}: should be a path; quote a number, as in '\"{path}\"'")
    if file is not None and not Path(file).is_file():
        raise ConfigError(f"data.source.file={_from_here(file)}: there is no such file{MOVED}")
    if root is None or Path(root).is_dir():
        return
    if "download" not in source:
        raise ConfigError(f"data.source.root={_from_here(root)}: there is no such folder{MOVED}")
    name, told = config.data.name, _from_here(root)
    raise ConfigError(
        f"data.source.root={told}: there is no such folder; set CONVEXP_DATA to the one that holds {name}, or create it "
        f"(mkdir -p {shlex.quote(told)}) to have {name} downloaded into it"
    )


def _from_here(path: str) -> str:
    """As it is told from the working directory, if it lies below that."""
    here = Path.cwd()
    return str(Path(path).relative_to(here)) if Path(path).is_relative_to(here) else path


def check_combinations(config: Config) -> None:
    """Settings that are each right and do not go together.

    Raises:
        ConfigError: naming both.
    """
    trainer, fused = config.trainer, config.optimizer.spec().get("fused")
    if fused and trainer.gradient_clip_val is not None and trainer.precision.endswith("-mixed"):
        raise ConfigError(
            f"optimizer.fused=true: cannot clip under trainer.precision={trainer.precision}; set optimizer.fused=false"
        )
    if config.data_root is not None:
        raise ConfigError(
            f"data_root={config.data_root}: says where the data of a run lies that is gone on with (resume=DIR); a new run is "
            "told by data.source.root or data.source.file"
        )
