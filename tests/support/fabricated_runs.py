"""Results as runs write them, made up: only what a report reads."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from convexp.records import RunRecord
from convexp.records.decode import RecordDecoder
from convexp.records.plan import Plan, PlannedRun
from convexp.reporting import groups

ACCURACY = {"dense": 0.90, "local": 0.93, "conv": 0.97}


def run(seed: int = 0, model: str = "conv", **settings: Any) -> dict[str, Any]:
    """A finished run; ``settings`` by their dotted names, with ``__`` for the dot."""
    config: dict[str, Any] = {
        "name": f"{model}-seed{seed}",
        "model": {"name": model, "wiring": {"_target_": f"convexp.layers.{model}"}, "readout": "flatten", "pool": "none"},
        "data": {"name": "digits", "source": {"_target_": "digits"}, "classes": 10, "train_size": None, "shift": {"train": 0}},
        "optimizer": {"_target_": "torch.optim.Adam", "lr": 0.01},
        "trainer": {"max_epochs": 3, "profiler": None},
        "seed": seed,
        "outputs": "outputs",
        "study": None,
    }
    for dotted, value in settings.items():
        *sections, last = dotted.split("__")
        section = config
        for part in sections:
            section = section.setdefault(part, {})
        section[last] = value
    accuracy = ACCURACY.get(model, 0.5)
    return {
        "format": 1,
        "state": "finished",
        "identity": json.dumps({k: v for k, v in config.items() if k != "name"}, sort_keys=True),
        "name": config["name"],
        "seed": seed,
        "started": f"2026-01-01T00:00:{seed:02}+00:00",
        "config": config,
        "network": {"parameters": 1_234_567, "flops": 2_000_000, "width": 1.0},
        "data": {"checksum": "4131c30294bed840", "split": "b9f667b66e3a191f"},
        "metrics": {
            "test/acc": accuracy + 0.001 * seed,
            "probe/shift_map/mean": accuracy / 2,
            "probe/consistency/all": accuracy / 3,
        },
        "probes": {"shift_map": {"maps": {"accuracy": [[0.1, 0.2], [0.3, 0.4]], "radius": [0.9, 0.5]}}},
        "versions": {"python": "3.11", "convexp": "0.1.0", "torch": "2.6.0"},
        "git": {"commit": "83693148853dc4b98795beb86f19476a40aec94f", "dirty": False},
        "hardware": {"cpu": "a CPU", "threads": 2, "accelerator": "CPUAccelerator"},
        "seconds": {"fit": 2.0, "total": 3.0},
        "error": None,
        "path": config["name"],
    }


def records(runs: Iterable[dict[str, Any] | RunRecord]) -> list[RunRecord]:
    """The runs as a report reads them, those that are records already as they are."""
    decoder = RecordDecoder(for_report=True)
    return [made if isinstance(made, RunRecord) else _record(made, decoder) for made in runs]


def _record(made: dict[str, Any], decoder: RecordDecoder) -> RunRecord:
    record = decoder.decode(json.dumps(made).encode())
    record.path = made["path"]
    return record


def group_runs(runs: Iterable[dict[str, Any] | RunRecord], plan: Plan | None = None) -> list[groups.Group]:
    """The groups of the runs."""
    return groups.group_runs(records(runs), plan)


def with_path(path: str, made: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The run in another folder, with other top-level entries."""
    return {**made, "path": path, **changes}


def kept(root: Path, *runs: dict[str, Any]) -> Path:
    """Writes the runs into folders of ``root``."""
    for made in runs:
        folder = root / made["path"]
        folder.mkdir(parents=True)
        (folder / "result.json").write_text(json.dumps({k: v for k, v in made.items() if k != "path"}))
    return root


def planned(axes: dict[str, list[Any]], *points: tuple[dict[str, Any], dict[str, Any]], **compare: Any) -> Plan:
    """A plan of runs, each with its point."""
    runs = [PlannedRun(made["path"], made["identity"], point) for made, point in points]
    return Plan("study", "Which?", axes, compare, runs)
