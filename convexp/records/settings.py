"""Configurations of many runs beside each other: flattened, and which settings tell runs apart."""

from collections.abc import Iterable, Sequence
from typing import Any

from convexp.records.identity import LOCATIONS, OUTSIDE_IDENTITY
from convexp.records.record import RunRecord

OUTSIDE_KIND = ("seed", *OUTSIDE_IDENTITY)  # settings in which repetitions of a run may differ

Settings = dict[str, Any]


def flatten(settings: Any, prefix: str = "") -> Settings:
    """``{"a": {"b": 1}}`` as ``{"a.b": 1}``."""
    if not isinstance(settings, dict):
        return {prefix: settings}
    return {k: v for key, value in settings.items() for k, v in flatten(value, f"{prefix}.{key}" if prefix else key).items()}


def flattened(runs: Iterable[RunRecord]) -> list[Settings]:
    """Return the configuration of each run, flattened; empty for a run without one."""
    known: dict[int, Settings] = {}  # by section, as the runs of a sweep share most of theirs
    found: list[Settings] = []
    for run in runs:
        flat: Settings = {}
        for key, value in (run.config or {}).items():
            if isinstance(value, dict):
                if id(value) not in known:
                    known[id(value)] = flatten(value, key)
                flat |= known[id(value)]
            else:
                flat[key] = value
        found.append(flat)
    return found


def lookup(config: Any, setting: str) -> Any:
    """The value of a dotted setting; of a section its ``name``, or the class it makes; None if there is none."""
    for part in setting.split("."):
        config = config.get(part) if isinstance(config, dict) else None
    if isinstance(config, dict):
        return config.get("name") or str(config.get("_target_") or "").rpartition(".")[2] or None
    return config


def within(setting: str, sections: Iterable[str]) -> bool:
    """Whether the setting is one of the sections, or lies in one."""
    return any(setting == section or setting.startswith(f"{section}.") for section in sections)


def telling(config: dict[str, Any]) -> Settings:
    """The settings that can change a result, flattened; the seed is none of them."""
    settings = flatten(config)
    skipped = (*OUTSIDE_KIND, *(LOCATIONS if "data.source.download" in settings else ()))
    return {k: v for k, v in settings.items() if not within(k, skipped)}


def kinds(runs: Sequence[RunRecord]) -> list[Settings]:
    """For each run what it is apart from its seed: the same dictionary for runs that are repetitions of each other.

    A setting called ``seed`` or ``..._seed`` that equals the run's seed wherever it is set (``data.source.seed=${seed}``) goes
    with the seed.
    """
    keys = [_sections(run) for run in runs]
    flat: dict[tuple[object, ...], Settings] = {}
    for key, run in zip(keys, runs, strict=True):
        if key not in flat:
            flat[key] = telling(run.config or {})
    following = _following(runs, [flat[key] for key in keys])
    shared: dict[str, Settings] = {}
    kind: dict[tuple[object, ...], Settings] = {}
    for key, settings in flat.items():
        left = {k: v for k, v in settings.items() if k not in following}
        kind[key] = shared.setdefault(_key(left), left)
    return [kind[key] for key in keys]


def _sections(run: RunRecord) -> tuple[object, ...]:
    """Cheap and the same for configurations whose sections are shared objects (``convexp.records.index``)."""
    return tuple((k, id(v) if isinstance(v, dict) else repr(v)) for k, v in (run.config or {}).items() if k not in OUTSIDE_KIND)


def is_seed(setting: str) -> bool:
    """Whether a setting is called a seed: ``seed``, ``data.source.seed``, ``data.split_seed``."""
    return setting == "seed" or setting.endswith((".seed", "_seed"))


def _following(runs: Sequence[RunRecord], settings: Sequence[Settings]) -> set[str]:
    seeds = {k for found in {id(s): s for s in settings}.values() for k in found if is_seed(k)}
    return {k for k in seeds if all(s.get(k, run.seed) == run.seed for run, s in zip(runs, settings, strict=True))}


def _key(kind: Settings) -> str:
    """Equal for equal settings; one that is null is as good as one that is not there."""
    return repr(sorted((k, repr(v)) for k, v in kind.items() if v is not None))


def differing(every: Iterable[Settings]) -> list[str]:
    """The settings that do not have the same value in all of ``every``, in their order."""
    unique = list({id(settings): settings for settings in every}.values())
    names = dict.fromkeys(name for settings in unique for name in settings)
    return [name for name in names if len({repr(settings.get(name)) for settings in unique}) > 1]


def shown(value: Any) -> str:
    """A value as a configuration spells it, without spaces, and with ``?`` for characters that a terminal would obey."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, list | tuple):
        return f"[{','.join(map(shown, value))}]"
    return printable(str(value))


def printable(text: str) -> str:
    """The text in one line, with ``?`` for control characters and halves of surrogate pairs."""
    return text if text.isprintable() else "".join(c if c.isprintable() else " " if c.isspace() else "?" for c in text)
