"""Which code the configuration of a run folder may name: the folder may come from anybody (SECURITY.md)."""

import os
import re
from collections.abc import Iterator, Mapping
from typing import Any

from convexp.config.hydra_files import SavedConfig
from convexp.config.instantiate import TARGET
from convexp.config.load import parse_config
from convexp.config.schema import Config
from convexp.config.signatures.signature import read_signature
from convexp.errors import ConfigError

# The names that each section may use: what is defined in certain modules of this package, and classes of other packages that do
# not write to a path given as an argument. The patterns follow no attribute of a class.
ALLOWED = {
    "model": r"convexp\.layers\.\w+\.[A-Z]\w*|"
    r"convexp\.models\.(?:resnet\.ResNet18|vit\.vision_transformer|mlp_mixer\.MlpMixer|one_layer\.OneLayer|timm_network\.timm_network)",
    "data": r"convexp\.data\.(digits|dsd|emnist|image_folder|nonlinear_gaussian|npz|srhm|svhn|tones|torus|vision|waldo)\.\1",
    "task": r"convexp\.training\.tasks\.\w+\.[A-Z]\w*",
    "augment": r"convexp\.data\.augment\.(flip|crop|cutout|mixup|rand_augment|rotate)\.[A-Z]\w*",
    "optimizer": r"torch\.optim\.[A-Z]\w*|convexp\.training\."
    r"(?:optimizers\.[a-z]\w*|beta_lasso\.BetaLasso|weight_sharing\.WeightSharingSGD)",
    "scheduler": r"convexp\.training\.schedules\.[a-z]\w*|torch\.optim\.lr_scheduler\.[A-Z]\w*",
    "probes": r"convexp\.probes\.(?:behaviour|structure)\.\w+\.[A-Z]\w*",
    "logger": r"convexp\.tracking\.(tensorboard\.TensorBoard|metrics_csv\.MetricsCSV|trackers\.wandb)",
    "callbacks": r"convexp\.training\.callbacks\.early_stopping|convexp\.training\.relax\.Relax|pytorch_lightning\.callbacks\."
    r"(EarlyStopping|GradientAccumulationScheduler|LearningRateMonitor|StochasticWeightAveraging|Timer)",
}


def parse_saved_config(saved: SavedConfig) -> Config:
    """Parse the configuration of a run folder; one that is not signed by this user may only name harmless code.

    Raises:
        ConfigError: naming the setting, and why the folder may come from somebody else.
    """
    return parse_config(saved.values) if saved.doubt is None else parse_trusted_config(saved.values, saved.doubt)


def parse_trusted_config(values: Mapping[Any, Any], doubt: str = "it may come from anybody") -> Config:
    """Parse the configuration of a run folder, and check that all code it names is harmless, without importing any of it.

    Every ``_target_``, at any depth, must be a layer, a data source, a probe, an optimizer, a schedule, one of a few callbacks,
    or a logger that writes into the run folder. The environment variable ``CONVEXP_TRUST`` names further packages, separated by
    commas, whose code the user trusts. Folders of modules that the configuration names (``pythonpath``) are left out.

    Args:
        values: the configuration.
        doubt: why it may have been written by somebody else, for error messages.

    Raises:
        ConfigError: naming the setting.
    """
    config = parse_config({**values, "pythonpath": None})
    for refusal in untrusted_packages(config).values():
        raise ConfigError(f"{refusal}; this may be one: {doubt}; if you trust it, name its package in CONVEXP_TRUST")
    return config


def untrusted_packages(config: Config) -> dict[str, str]:
    """The packages, with reasons, that ``CONVEXP_TRUST`` would have to name if ``config`` came from a run folder."""
    own = tuple(f"{name.strip()}." for name in os.environ.get("CONVEXP_TRUST", "").split(",") if name.strip())
    found: dict[str, str] = {}
    places: dict[str, Any] = {setting: target.spec() for setting, target in config.targets().items()}
    if config.study is not None:  # the values of its grid are settings, too
        places["study"] = config.study.model_dump()
    for setting, values in places.items():
        for where, spec in _targets_within(setting, values):
            name = str(spec[TARGET])
            refusal = None if name.startswith(own) else _refusal(where, name, spec)
            if refusal is not None:
                found.setdefault(name.rpartition(".")[0], refusal)
    return found


def _targets_within(setting: str, value: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every mapping with a ``_target_`` in ``value``, at any depth, with its setting."""
    if isinstance(value, dict):
        if TARGET in value:
            yield setting, value
        for key, item in value.items():
            yield from _targets_within(f"{setting}.{key}", item)
    elif isinstance(value, list):
        for item in value:
            yield from _targets_within(setting, item)


def _refusal(setting: str, name: str, spec: dict[str, Any]) -> str | None:
    """Why a run folder may not name this target; None if it may."""
    if not _is_allowed(setting.partition(".")[0], name):
        return (
            f"{setting}.{TARGET}={name}: a run folder of somebody else's may only name convexp's own layers, networks, data "
            "sources, augmentations, probes, schedules and loggers that write into it, torch's optimizers, and callbacks that "
            "write nothing, each in its own section"
        )
    if name.endswith(".trackers.wandb") and spec.get("offline") is not True:
        return f"{setting}.offline={spec.get('offline')}: a run folder may not send anything over the network; should be true"
    return None


def _is_allowed(section: str, name: str) -> bool:
    patterns = ALLOWED.values() if section == "study" else [ALLOWED[section]]  # a grid has settings of any section
    if not any(re.fullmatch(pattern, name) for pattern in patterns):
        return False
    if name.startswith("convexp."):
        try:
            read_signature(name)
        except LookupError:
            return False
    return True
