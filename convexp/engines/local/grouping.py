"""Which runs of a sweep are done together in one process, so that their networks can be trained at once."""

from collections.abc import Callable, Sequence
from functools import cache
from math import ceil

from omegaconf import DictConfig, OmegaConf

from convexp.errors import ConfigError
from convexp.machine.gpus import find_gpus

LARGEST = 8  # runs in a group of ``auto``
OF_EACH_RUN = ("seed", "name", "hydra.job.num", "hydra.sweep.subdir")
NUMBERS = ("optimizer.", "scheduler.", "task.label_smoothing")  # settings in which the runs of a group may differ, if a number
# What a run of a group may have; ``convexp.replicas`` looks at network, optimizer and schedule when the training begins.
TARGETS = {
    "task": ("convexp.training.tasks.",),
    "logger": ("convexp.tracking.tensorboard.", "convexp.tracking.metrics_csv."),
    "callbacks": ("convexp.training.callbacks.early_stopping",),
}
VALUES = {
    "trainer.precision": ("32-true", "bf16-mixed"),
    "trainer.devices": (1,),
    "trainer.num_nodes": (1,),
    "trainer.accumulate_grad_batches": (1,),
    "trainer.profiler": (None,),
    "trainer.fast_dev_run": (False,),
    "trainer.detect_anomaly": (False,),
    "trainer.deterministic": (False,),
    "trainer.overfit_batches": (0,),
    "compile": (False,),
    "only_costs": (False,),
}  # one of which the settings of a run of a group have to be, where they are set
# What a run of a group does not have: what is the whole process's while the run lasts.
NOT_SET = ("hydra.job.chdir", "hydra.job.env_set")


def check_replicas(replicas: object) -> None:
    """Check ``hydra.launcher.replicas``.

    Raises:
        ConfigError: If it is neither ``auto`` nor a whole number from 1 on.
    """
    if replicas != "auto" and (type(replicas) is not int or replicas < 1):
        raise ConfigError(f"hydra.launcher.replicas={replicas}: should be auto or a whole number from 1 on")


def group_jobs(
    overrides: Sequence[Sequence[str]],
    compose: Sequence[Callable[[], DictConfig]],
    slots: int,
    replicas: int | str,
    report: Callable[[str], object] = lambda _: None,
) -> list[tuple[int, ...]]:
    """Divide the jobs of a sweep into groups. Runs of a group differ in the seed, or in numbers of how they are trained.

    Args:
        overrides: The overrides of each job.
        compose: For each job a function that composes its configuration.
        slots: Number of processes.
        replicas: Largest number of runs in a group; ``auto`` for as many as leave no process without a run, and at most 8.
        report: Is called with the reason for which runs that would be a group are done one by one, if their settings have one.

    Returns:
        The indices of the jobs of each group, in the order of their first ones.
    """
    gpu_is_here = cache(lambda: bool(find_gpus().names))
    alike: dict[tuple[str, ...], list[int]] = {}
    for number, texts in enumerate(overrides):
        alike.setdefault(_shared(texts), []).append(number)
    groups: list[tuple[int, ...]] = []
    for numbers in alike.values():
        count = _groups(len(numbers), slots, replicas)
        if count < len(numbers):
            config = compose[numbers[0]]()
            if reason := reason_against_group(config):
                report(reason)
            if reason or (replicas == "auto" and _uses_gpu(config, gpu_is_here)):
                count = len(numbers)
        cuts = [len(numbers) * cut // count for cut in range(count + 1)]
        groups += [tuple(numbers[a:b]) for a, b in zip(cuts, cuts[1:], strict=False)]
    return sorted(groups)


def _groups(jobs: int, slots: int, replicas: int | str) -> int:
    """Into how many groups jobs that are alike are divided; their sizes differ by one at most."""
    return ceil(jobs / replicas) if isinstance(replicas, int) else max(min(jobs, slots), ceil(jobs / LARGEST))


def _uses_gpu(config: DictConfig, gpu_is_here: Callable[[], bool]) -> bool:
    """Whether runs use a GPU, on which ``auto`` trains none at once: then they need not be set up at once, either."""
    accelerator = OmegaConf.select(config, "trainer.accelerator")
    return accelerator != "cpu" and (accelerator not in (None, "auto") or gpu_is_here())


def _shared(overrides: Sequence[str]) -> tuple[str, ...]:
    """The overrides that the runs of a group have in common; of numbers that may differ, the names of the settings."""
    kept: list[str] = []
    for text in overrides:
        name, _, value = text.lstrip("+").partition("=")
        if name in OF_EACH_RUN:
            continue
        kept.append(name if name.startswith(NUMBERS) and _is_number(value) else text)
    return tuple(sorted(kept))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def reason_against_group(config: DictConfig) -> str | None:
    """Say why runs of this configuration may not take turns in one process; None if they may.

    Args:
        config: A composed configuration of a run.
    """
    for setting in NOT_SET:
        if OmegaConf.select(config, setting):
            return f"{setting} is set, for the whole process"
    for setting, possible in VALUES.items():
        value = OmegaConf.select(config, setting, default=possible[0])
        if value not in possible:
            return f"{setting}={value}".lower()  # true and false as they are written in YAML
    unknown = (target for group in TARGETS for target in _targets(config, group) if not target.startswith(TARGETS[group]))
    return next((f"{target} is not known to share its process with others" for target in unknown), None)


def _targets(config: DictConfig, group: str) -> list[str]:
    """What the section names by ``_target_``, itself or in its parts."""
    section = OmegaConf.select(config, group)
    if not isinstance(section, DictConfig):
        return []
    found = [section] if "_target_" in section else [part for part in section.values() if isinstance(part, DictConfig)]
    return [str(part.get("_target_")) for part in found]
