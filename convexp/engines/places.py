"""How many runs of a sweep a launcher does at the same time, as far as that is known before it starts."""

from omegaconf import DictConfig, OmegaConf

from convexp.engines.local.slots import make_slots


def places(config: DictConfig) -> int | None:
    """The number of runs that the launcher of a sweep does at the same time; None if an engine elsewhere decides that."""
    launcher = str(config.hydra.runtime.choices.get("hydra/launcher"))
    settings = OmegaConf.to_container(config.hydra.launcher, resolve=True)
    assert isinstance(settings, dict)
    if launcher == "processes":
        return len(make_slots(settings.get("processes"), settings.get("runs_per_gpu") or 1, config))
    if launcher == "joblib":
        from joblib import cpu_count

        jobs = settings.get("n_jobs", -1)
        return jobs if jobs > 0 else max(1, cpu_count() + 1 + jobs)
    return 1 if launcher == "basic" else None
