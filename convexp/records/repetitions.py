"""Which runs repeat each other: their configurations are equal apart from the seed."""

from collections.abc import Sequence
from typing import Any

from convexp.records.identity import LOCATIONS, OUTSIDE_IDENTITY
from convexp.records.record import RunRecord
from convexp.records.settings import Settings, completed, entry, flatten, within

ORDERED = ("augment", "optimizer.groups")
MAY_DIFFER = ("seed", *OUTSIDE_IDENTITY)  # settings in which repetitions of a run may differ


def is_seed(setting: str) -> bool:
    """Whether the name of a setting says that it is a seed: ``seed``, ``data.source.seed``, ``data.split_seed``."""
    return setting == "seed" or setting.endswith((".seed", "_seed"))


def result_settings(config: dict[str, Any]) -> Settings:
    """Return the settings that can change a result, flattened and without the seed."""
    settings = completed(flatten(config)) | _orders(config)
    skipped = (*MAY_DIFFER, *(LOCATIONS if "data.source.download" in settings else ()))
    return {k: v for k, v in settings.items() if not within(k, skipped)}


def _orders(config: dict[str, Any]) -> Settings:
    """The order of the entries of sections that are applied one after the other, where there are several."""
    sections = {setting: entry(config, setting) for setting in ORDERED}
    return {setting: ",".join(each) for setting, each in sections.items() if isinstance(each, dict) and len(each) > 1}


def seedless_configurations(runs: Sequence[RunRecord]) -> list[Settings]:
    """Return for each run its configuration without the seed; repetitions of each other have one dictionary in common.

    A setting called ``seed`` or ``..._seed`` which has the value of the run's seed in every run that has it
    (``data.source.seed=${seed}``) is left out as well. That is told by the runs which are equal apart from such settings, where
    these have several seeds, else by all.
    """
    keys = [_sections(run) for run in runs]
    flat: dict[tuple[object, ...], Settings] = {}
    for key, run in zip(keys, runs, strict=True):
        if key not in flat:
            flat[key] = result_settings(run.config or {})
    following = _following(runs, [flat[key] for key in keys])
    without_seeds = {key: _key({k: v for k, v in settings.items() if not is_seed(k)}) for key, settings in flat.items()}
    alike: dict[str, list[int]] = {}
    for index, key in enumerate(keys):
        alike.setdefault(without_seeds[key], []).append(index)
    left_out: dict[str, set[str]] = {}
    for name, indices in alike.items():
        its = [runs[index] for index in indices]
        several = len({run.seed for run in its}) > 1
        left_out[name] = _following(its, [flat[keys[index]] for index in indices]) if several else following
    shared: dict[str, Settings] = {}
    kind: dict[tuple[object, ...], Settings] = {}
    for key, settings in flat.items():
        left = {k: v for k, v in settings.items() if k not in left_out[without_seeds[key]]}
        kind[key] = shared.setdefault(_key(left), left)
    return [kind[key] for key in keys]


def _sections(run: RunRecord) -> tuple[object, ...]:
    """Return a key that is cheap to compute, and equal where sections are shared objects (``convexp.records.index``)."""
    return tuple((k, id(v) if isinstance(v, dict) else repr(v)) for k, v in (run.config or {}).items() if k not in MAY_DIFFER)


def _following(runs: Sequence[RunRecord], settings: Sequence[Settings]) -> set[str]:
    """Return the further seeds that always equal the seed of the run."""
    seeds = {k for found in {id(s): s for s in settings}.values() for k in found if is_seed(k)}
    return {k for k in seeds if all(s.get(k, run.seed) == run.seed for run, s in zip(runs, settings, strict=True))}


def _key(kind: Settings) -> str:
    """Return a key that is equal for equal settings; a setting that is null counts like one that is missing."""
    return repr(sorted((k, repr(v)) for k, v in kind.items() if v is not None))
