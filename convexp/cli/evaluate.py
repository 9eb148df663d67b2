"""convexp-eval: test a run again, and measure it by other probes, from its folder alone."""

from omegaconf import DictConfig, OmegaConf

from convexp.cli.application import application
from convexp.config.folders import check_writable
from convexp.config.messages.suggestions import suggest
from convexp.config.run_folder import load_run_config
from convexp.config.user_paths import parse_path
from convexp.errors import ConfigError
from convexp.records import read_record
from convexp.terminal import console

SETTINGS = ("run", "accelerator", "data_root", "probes")  # conf/eval.yaml


def task(cfg: DictConfig) -> None:
    """Rebuild the run's network and data, load its best checkpoint, test, compare with what the run noted, do further probes.

    Raises:
        ConfigError: if the folder holds no run with a checkpoint, or names code it may not name.
    """
    if added := [str(key) for key in cfg if key not in SETTINGS]:
        raise ConfigError(f"{added[0]}: there is no such setting{suggest(added[0], SETTINGS)}")
    if cfg.run is None:
        raise ConfigError("run: is missing; say which run, as in convexp-eval run=outputs/runs/NAME")
    folder = parse_path("run", cfg.run)
    chosen = cfg.get("probes")  # a list of none leaves nothing
    probes = OmegaConf.to_container(chosen, resolve=True) if chosen else None
    changes = {"probes": probes} | ({"trainer.accelerator": cfg.accelerator} if cfg.accelerator is not None else {})
    config = load_run_config(folder, "run", cfg.data_root, changes)
    if config.probes:
        check_writable(f"run={cfg.run}", folder / "probes")
    with console.status("loading torch"):  # and Lightning: seconds, so only now
        from convexp.execution.evaluation import prepare_torch, reprobe, restore
        from convexp.execution.verification import again, verdict

    prepare_torch(config)
    module, data = restore(config, folder)
    record = read_record(folder)
    before = record.data.checksum if record else None
    if before is not None and before != data.checksum:
        said = f"these are other images than the run's (checksum {before}, now {data.checksum})"
        console.print_error("convexp-eval", f"data ({config.data.name}): {said}")
    for name, mean in again(module, data, config).items():
        console.out.print(f"{name:<10} {mean.over_samples:.7g}  ({verdict(name, mean, record)})")
    if config.probes:
        reprobe(module, data, config, folder)


main = application("convexp-eval", "eval", task)

if __name__ == "__main__":
    main()
