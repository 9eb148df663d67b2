"""Bad values for every setting there is: one line that names it, or a value that makes sense, and never another error."""

import copy
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from hydra import compose
from omegaconf import OmegaConf
from torch import nn

from convexp.config import Config, check_config, load_config, parse_config
from convexp.config.checks.batches import check_batches
from convexp.config.hydra_context import isolated_hydra
from convexp.errors import ConfigError
from convexp.execution import build
from convexp.execution.footprint import check_memory
from convexp.execution.network_plan import plan_network

DRAWN = ("data.source.train=300", "data.source.test=200", "data.val_size=100", "probes=none")
BASES = (  # options that have all settings between them
    ("probes=all", "callbacks=early_stopping", "augment=[flip,crop,cutout,mixup,rotate,rand_augment]"),
    ("model=low_rank_local", "data=waldo", "optimizer=sgd", "scheduler=step", *DRAWN),
    ("model=local", "data=dsd", "optimizer=adamw", "scheduler=cosine", *DRAWN),
)
NETWORK = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 2))
BAD: dict[str, list[Any]] = {
    "text": ["x"],
    "empty": [""],
    "list": [[1, "a"], [[]]],
    "mapping": [{"a": 1}],
    "null": [None],
    "true": [True],
    "zero": [0],
    "negative": [-1],
    "fraction": [1.5],
    "large": [10**12, 1e300],
    "beyond 64 bits": [10**30, -(10**30)],
    "infinite": [float("nan"), float("inf"), -float("inf")],
}
SEEDS = {"seed", "data.split_seed", "data.source.seed", "data.source.split_seed", "probes.consistency.seed"}
SEEDS |= {"probes.relative_stability.seed", "data.permute_pixels"}
# As many as there are, or for ever: these have no largest value.
COUNTS = {"trainer.max_epochs", "trainer.overfit_batches", "probe_every", "callbacks.early_stopping.patience"}
COUNTS |= {"data.batch_size", "data.eval_batch_size", "data.memory_gb", "probes.accounting.batch", "data.source.grid"}
COUNTS |= {"model.pool_size"}  # of no pooling
COUNTS |= {
    f"trainer.{name}" for name in ("fast_dev_run", "accumulate_grad_batches", "max_steps", "min_steps", "limit_train_batches")
}
COUNTS |= {"trainer.limit_val_batches", "trainer.num_sanity_val_steps", "trainer.log_every_n_steps"}
LIMITS = {f"trainer.{name}" for name in ("max_steps", "min_epochs", "min_steps", "limit_train_batches", "limit_val_batches")}
REAL = {"optimizer.lr", "optimizer.weight_decay", "trainer.gradient_clip_val", "scheduler.factor", "data.source.sigma"}
REAL |= {"data.source.noise", "model.init_scale"}  # noise: as much as to hide everything
# What may be said all the same; every other setting has to refuse the value.
SENSIBLE: dict[str, set[str]] = {
    "text": {"name", "data.name", "model.name", "outputs", "resume"},
    "null": {"data.permute_pixels"}
    | {"data.canvas", "data.shift.window", "data.train_size", "trainer.gradient_clip_val", "trainer.profiler", "resume"}
    | LIMITS
    | {"trainer.val_check_interval", "trainer.benchmark"}
    | {"trainer.threads", "optimizer.fused", "callbacks", "augment", "probes", "study", "probes.local_equivariance.step"}
    | {"task.class_weights", "optimizer.lr", "callbacks.early_stopping.mode"},
    "true": {
        "compile",
        "only_costs",
        "dry_run",
        "reuse",
        "model.bias",
        "model.wiring.bias",
        "model.wiring.softmax",
        "optimizer.fused",
        "optimizer.nesterov",
        "task.details",
        "probes.consistency.permuted",
    }
    | {"trainer.deterministic", "trainer.fast_dev_run", "trainer.benchmark", "trainer.detect_anomaly"}
    | {"trainer.inference_mode", "trainer.enable_model_summary", "trainer.cuda_graph"}
    | {f"{made}._partial_" for made in ("model.wiring", "task", "optimizer", "scheduler", "logger.csv", "logger.tensorboard")},
    "zero": SEEDS
    | {"augment.flip.probability", "augment.crop.padding", "augment.cutout.fill", "augment.rotate.degrees"}
    | {"augment.rand_augment.magnitude"}
    | {"task.label_smoothing", "ema"}
    | {"data.shift.train", "data.shift.val", "data.shift.test", "data.source.distractors", "data.source.noise"}
    | {"model.padding", "optimizer.weight_decay", "optimizer.momentum", "scheduler.warmup", "probe_every"}
    | {"trainer.overfit_batches", "trainer.num_sanity_val_steps", "callbacks.early_stopping.patience"},
    "fraction": REAL
    | {"augment.mixup.alpha", "augment.rotate.degrees"}
    | {"data.memory_gb", "model.width", "probes.local_equivariance.step"}
    | {"probes.relative_stability.displacement"},
    "large": SEEDS - {"seed"} | COUNTS | REAL,
}


@cache
def _base(overrides: tuple[str, ...]) -> dict[str, Any]:
    with isolated_hydra():
        return OmegaConf.to_container(compose("train", list(overrides)), resolve=True)  # type: ignore[return-value]


def _settings(values: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if isinstance(values, dict):
        for key, value in values.items():
            yield from _settings(value, (*path, key))
    else:
        yield path


def _with(values: dict[str, Any], path: tuple[str, ...], value: Any) -> dict[str, Any]:
    changed = copy.deepcopy(values)
    section = changed
    for key in path[:-1]:
        section = section[key]
    section[path[-1]] = value
    return changed


def _build(config: Config, section: str, base: dict[str, Any]) -> None:
    """Whatever the section describes, short of training."""
    if section in ("data", "model", "trainer"):
        data = build.dataset(config if section == "data" else check_config(parse_config(base)))
        check_batches(config.trainer, *data.batches(config.data.batch_size, config.data.eval_batch_size))
        check_memory(config, plan_network(config).count_layers(), data)
    elif section == "probes":
        build.probes(config)
    elif section == "task":
        build.task(config, nn.Identity())
    elif section in ("optimizer", "scheduler"):
        build.optimization(config, NETWORK)
    elif section == "augment":
        build.augmenter(config, build.dataset(check_config(parse_config(base))))
    elif section == "callbacks":
        build.callbacks(config)
    elif section == "logger":
        build.loggers(config)


def _complaint(values: dict[str, Any], section: str, base: dict[str, Any]) -> str | None:
    try:
        loaded = section in ("outputs", "resume", "name")  # as ``load`` alone sees to; OmegaConf takes long for thousands
        _build(load_config(OmegaConf.create(values)) if loaded else check_config(parse_config(values)), section, base)
    except ConfigError as error:
        return str(error)
    return None


MANY = (".max_images", ".shifted_images", ".mistakes", ".classes", ".channels", ".locations")


def _is_sensible(kind: str, setting: str) -> bool:
    many = setting.startswith("probes.") and setting.endswith(MANY)
    return setting in SENSIBLE.get(kind, set()) or (kind == "large" and many)  # the first so many, or all


@pytest.mark.integration
@pytest.mark.parametrize("overrides", BASES, ids=lambda overrides: overrides[0])
@pytest.mark.parametrize("kind", BAD)
def test_a_bad_value_is_refused_in_one_line_or_makes_sense(overrides, kind):
    base = _base(overrides)
    for path in _settings(base):
        setting = ".".join(path)
        for value in BAD[kind]:
            if type(value) is type(base.get(path[0])) and base.get(path[0]) == value:
                continue
            said = _complaint(_with(base, path, value), path[0], base)
            if said is None:
                assert _is_sensible(kind, setting), f"{setting}={value} was accepted without a word"
            else:
                assert "\n" not in said
                assert path[-1] in said or path[0] in said
                assert len(said) < 500


def test_what_is_called_sensible_is_a_setting():
    known = {".".join(path) for overrides in BASES for path in _settings(_base(overrides))}
    assert set().union(*SENSIBLE.values()) <= known
