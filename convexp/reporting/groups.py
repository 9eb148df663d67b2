"""Runs that differ in nothing but the seed, together."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from convexp.reporting.statistics import Mean, mean
from convexp.runs import Result, identity_hash

# Settings that do not make two runs different in kind: who they are, where they went.
APART = ("name", "seed", "outputs", "resume", "logger", "study", "model.wiring._target_", "data.source.root")


@dataclass(frozen=True)
class Group:
    """Finished runs of one configuration, by ascending seed, and a label that says how it differs from the others."""

    label: str
    runs: list[Result]

    @property
    def n(self) -> int:
        """How many runs."""
        return len(self.runs)

    @property
    def parameters(self) -> int:
        """Parameters of the network."""
        return int(self.runs[0]["network"]["parameters"])

    def metric(self, name: str) -> Mean | None:
        """Mean over the runs that have this metric; None if none has."""
        values = [run["metrics"][name] for run in self.runs if run["metrics"].get(name) is not None]
        return mean(values) if values else None


def flatten(settings: Any, prefix: str = "") -> dict[str, Any]:
    """``{"a": {"b": 1}}`` as ``{"a.b": 1}``."""
    if not isinstance(settings, dict):
        return {prefix: settings}
    return {k: v for key, value in settings.items() for k, v in flatten(value, f"{prefix}.{key}" if prefix else key).items()}


def _kind(run: Result) -> dict[str, Any]:
    settings = flatten(run["config"])
    return {k: v for k, v in settings.items() if not any(k == a or k.startswith(f"{a}.") for a in APART)}


def group(runs: Iterable[Result]) -> list[Group]:
    """Finished runs by configuration, in the order in which the first of each was started."""
    kinds: dict[str, dict[str, Any]] = {}
    members: dict[str, list[Result]] = {}
    for run in sorted(runs, key=lambda r: r.get("started", "")):
        if run.get("state") == "finished":
            key = identity_hash(_kind(run))
            kinds[key] = _kind(run)
            members.setdefault(key, []).append(run)
    return [Group(_label(kinds[key], list(kinds.values())), _by_seed(found)) for key, found in members.items()]


def _by_seed(runs: list[Result]) -> list[Result]:
    """One run per seed: the same run made twice is no second sample."""
    return sorted({run["seed"]: run for run in runs}.values(), key=lambda run: run["seed"])


def _label(kind: dict[str, Any], every: list[dict[str, Any]]) -> str:
    """The model's name and all settings that differ; of the model's own only those that differ between models of that name."""
    peers = [other for other in every if other["model.name"] == kind["model.name"]]

    def differs(setting: str) -> bool:
        among = peers if setting.startswith("model.") else every
        return len({repr(other.get(setting)) for other in among}) > 1

    others = [f"{k.rpartition('.')[2]}={v}" for k, v in kind.items() if differs(k)]
    return " ".join([str(kind["model.name"]), *others])
