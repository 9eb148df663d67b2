"""convexp-eval: test a run again from its folder alone, and measure it with other probes."""

from typing import Any

from omegaconf import DictConfig, OmegaConf

from convexp.cli.application import application
from convexp.config.folders import check_writable
from convexp.config.importable import make_importable
from convexp.config.messages.suggestions import suggest
from convexp.config.run_folder import load_run_config
from convexp.config.user_paths import parse_path
from convexp.errors import ConfigError
from convexp.records import read_record
from convexp.records.playground import FILE as PLAYGROUND
from convexp.records.playground import read_playground
from convexp.records.playground_format import LeftOut
from convexp.terminal import console

SETTINGS = ("run", "accelerator", "data_root", "pythonpath", "probes")  # conf/eval.yaml


def task(cfg: DictConfig) -> None:
    """Evaluate the best checkpoint of a run, compare the metrics with its record, and measure the chosen probes.

    A run without a ``playground.json`` that a page can use gets one: those of older versions have none, others a damaged one.

    Raises:
        ConfigError: if the folder holds no run with a checkpoint, or its configuration names code that is not trusted.
    """
    check_settings(cfg)
    make_importable(cfg.pythonpath)
    folder = parse_path("run", cfg.run)
    config = load_run_config(folder, "run", cfg.data_root, changed_settings(cfg))
    if config.probes:
        check_writable(f"run={cfg.run}", folder / "probes")
    with console.status("loading torch"):  # torch and Lightning take seconds to import
        from convexp.execution.playground import export_playground
        from convexp.execution.reprobe import reprobe
        from convexp.execution.restore import restore
        from convexp.execution.torch_setup import prepare_torch
        from convexp.execution.verification import Mean, compare_with_record, other_metrics, recompute_metrics

    prepare_torch(config)
    restored = restore(config, folder)
    data = restored.data
    record = read_record(folder)
    before = record.data.checksum if record else None
    if before is not None and before != data.checksum:
        message = f"these are other images than the run's (checksum {before}, now {data.checksum})"
        console.print_error("convexp-eval", f"data ({config.data.name}): {message}")
    recomputed = recompute_metrics(restored.module, data, config)
    for name, mean in recomputed.items():
        console.out.print(f"{name:<10} {mean.over_samples:.7g}  ({compare_with_record(name, mean, record)})")
    for name, value in other_metrics(restored.module, data, config, record, set(recomputed)).items():
        compared = compare_with_record(name, Mean(value, value), record)
        console.out.print(f"{name:<10} {value:.7g}  ({compared}; by the run's own code, the task has no second one)")
    if isinstance(read_playground(folder), LeftOut):
        console.out.print(f"{PLAYGROUND}: {console.escape(export_playground(restored.network, data, config, folder))}")
    if config.probes:
        reprobe(restored.network, data, config, folder)


def check_settings(cfg: DictConfig) -> None:
    """Raise a ConfigError for a setting that convexp-eval does not have, and if no run is named."""
    if added := [str(key) for key in cfg if key not in SETTINGS]:
        raise ConfigError(f"{added[0]}: there is no such setting{suggest(added[0], SETTINGS)}")
    if cfg.run is None:
        raise ConfigError("run: is missing; say which run, as in convexp-eval run=outputs/runs/NAME")


def changed_settings(cfg: DictConfig) -> dict[str, Any]:
    """Return the settings of the run that the command line replaces: its probes, and the accelerator if one is given."""
    probes = OmegaConf.to_container(cfg.probes, resolve=True) if cfg.get("probes") else None
    return {"probes": probes} | ({"trainer.accelerator": cfg.accelerator} if cfg.accelerator is not None else {})


main = application("convexp-eval", "eval", task)

if __name__ == "__main__":
    main()
