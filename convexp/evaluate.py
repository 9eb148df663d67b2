"""convexp-eval: test a run again, and measure it by other probes, from its folder alone."""

from pathlib import Path

from omegaconf import DictConfig

from convexp import console
from convexp.app import application
from convexp.config import check_trusted, load
from convexp.errors import ConfigError
from convexp.runs import read_result
from convexp.runs.saved import read_config


def task(cfg: DictConfig) -> None:
    """Rebuild the run's network and data, load its best checkpoint, test, compare with what the run noted, do further probes.

    Raises:
        ConfigError: if the folder holds no run with a checkpoint, or names code it may not name.
    """
    if cfg.run is None:
        raise ConfigError("run: is missing; say which run, as in convexp-eval run=outputs/runs/NAME")
    folder = Path(str(cfg.run))
    saved = read_config(folder, "run")
    if cfg.accelerator is not None:
        saved.trainer.accelerator = cfg.accelerator
    if cfg.data_root is not None:
        source = saved.data.source
        if "file" in source:
            source.file = str(Path(str(cfg.data_root)) / Path(str(source.file)).name)
        else:
            source.root = cfg.data_root
    saved.probes = cfg.probes
    config = load(saved)
    check_trusted(config)
    if not (folder / "checkpoints" / "best.ckpt").is_file():
        raise ConfigError(f"run={folder}: has no checkpoints/best.ckpt; it did not get through its first epoch")
    from convexp.evaluation import evaluate, reprobe, restore  # torch and Lightning: seconds, so only now

    module, data = restore(config, folder)
    metrics = evaluate(module, data, config)
    noted = (read_result(folder) or {}).get("metrics", {})
    for name, value in metrics.items():
        before = noted.get(name)
        verdict = "not noted by the run" if before is None else "as noted" if before == value else f"noted: {before:.10g}"
        console.out.print(f"{name:<10} {value:.10g}  ({verdict})")
    if config.probes:
        reprobe(module, data, config, folder)


main = application("convexp-eval", "eval", task)

if __name__ == "__main__":
    main()
