"""What makes two runs the same: the settings that can change a result, and their hash."""

import hashlib
import json
from typing import Any

from convexp.records.values import same_value

# Settings that change no result: the run's name, where it and its data lie, how it is watched, how much of the machine it uses.
OUTSIDE_IDENTITY = (
    "name",
    "outputs",
    "resume",
    "data_root",
    "pythonpath",
    "logger",
    "study",
    "on_failure",
    "playground",
    "trainer.profiler",
    "trainer.cuda_graph",
    "trainer.log_every_n_steps",
    "trainer.detect_anomaly",
    "trainer.enable_model_summary",
    "trainer.num_sanity_val_steps",
    "data.memory_gb",
    "data.workers",
    "data.source.cache",
)
# Where public data lies, which is the same everywhere. The location of a user's own images belongs to the identity.
LOCATIONS = ("data.source.root", "data.source.download")

# Settings that older versions did not have, each with the value that does what they did. A setting with this value is left out
# of the identity, so that the runs of older versions keep theirs.
ADDED_LATER: dict[str, Any] = {
    "model.blur_size": 3,
    "model.init_scale": 1.0,
    "data.permute_pixels": None,
    "augment": None,
    "trainer.devices": 1,
    "trainer.num_nodes": 1,
    "trainer.strategy": "auto",
    "trainer.accumulate_grad_batches": 1,
    "trainer.gradient_clip_algorithm": "norm",
    "trainer.max_steps": None,
    "trainer.min_epochs": None,
    "trainer.min_steps": None,
    "trainer.limit_train_batches": None,
    "trainer.limit_val_batches": None,
    "trainer.val_check_interval": None,
    "trainer.check_val_every_n_epoch": 1,
    "trainer.benchmark": None,
    "trainer.inference_mode": True,
    "task": {
        "_target_": "convexp.training.tasks.classification.Classification",
        "_partial_": True,
        "label_smoothing": 0.0,
        "class_weights": None,
        "details": False,
        "top_k": 5,
        "bins": 15,
        "outputs": None,
        "monitor": None,
        "monitor_mode": None,
    },
    "optimizer.groups": None,
    "ema": None,
    "monitor_mode": None,
    "callbacks.early_stopping.mode": None,
    "probes.consistency.permuted": False,
}


def identity_hash(settings: Any) -> str:
    """Return the first 16 hex digits of the SHA-256 of ``settings`` (plain containers) as canonical JSON."""
    return hashlib.sha256(canonical_json(settings).encode()).hexdigest()[:16]


def canonical_json(settings: Any) -> str:
    """Return the text that an identity is the hash of: equal settings have the same."""
    return json.dumps(settings, sort_keys=True, separators=(",", ":"), allow_nan=False)


def drop_added_later(settings: dict[str, Any]) -> None:
    """Remove from nested ``settings``, in place, those of ``ADDED_LATER`` that have the value of older versions."""
    for setting, before in ADDED_LATER.items():
        *sections, name = setting.split(".")
        section: Any = settings
        for key in sections:
            section = section.get(key) if isinstance(section, dict) else None
        if isinstance(section, dict) and name in section and same_value(section[name], before):
            del section[name]
