"""convexp-eval: test runs again from their folders alone, each by itself or all as an ensemble, and measure them."""

from glob import has_magic
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from convexp.cli.application import application
from convexp.cli.ensemble import evaluate_ensemble
from convexp.config import Evaluation
from convexp.config.folders import check_writable
from convexp.config.importable import make_importable
from convexp.config.messages.suggestions import suggest
from convexp.config.run_folder import CHECKPOINT, load_run_config
from convexp.config.user_paths import parse_path
from convexp.config.validated import validated
from convexp.errors import ConfigError
from convexp.records.playground import FILE as PLAYGROUND
from convexp.records.playground import read_playground
from convexp.records.playground_format import LeftOut
from convexp.terminal import console


def task(cfg: DictConfig) -> None:
    """Evaluate runs: one, several one after the other, or the mean over several as one network.

    Raises:
        ConfigError: if a setting is wrong, or a folder holds no run with a checkpoint.
    """
    chosen = load_evaluation(cfg)
    make_importable(chosen.pythonpath)
    folders = named_runs(chosen)
    if chosen.ensemble:
        evaluate_ensemble(folders, chosen)
        return
    for folder in folders:
        if len(folders) > 1:
            console.out.print(f"{console.escape(console.display_path(folder))}:")
        evaluate_run(folder, chosen)


def evaluate_run(folder: Path, chosen: Evaluation) -> None:
    """Evaluate the best checkpoint of a run, compare the metrics with its record, and measure the chosen probes.

    A finished run without a ``playground.json`` that a page can use gets one: those of older versions have none, others a
    damaged one.

    Raises:
        ConfigError: if the folder holds no run with a checkpoint, or its configuration names code that is not trusted.
    """
    setting = "run" if chosen.run is not None else "runs"
    config = load_run_config(folder, setting, chosen.data_root, {"probes": None} | chosen.changes)
    if config.probes:
        check_writable(f"{setting}={folder}", folder / "probes")
    with console.status("loading torch"):  # torch and Lightning take seconds to import
        from convexp.execution.playground import export_playground
        from convexp.execution.reprobe import reprobe
        from convexp.execution.restore import restore
        from convexp.execution.torch_setup import prepare_torch
        from convexp.execution.verification import Mean, compare_with_record, other_metrics, recompute_metrics

    prepare_torch(config)
    restored = restore(config, folder)
    data, record = restored.data, restored.record
    before = record.data.checksum if record else None
    if before is not None and before != data.checksum:
        message = f"these are other images than the run's (checksum {before}, now {data.checksum})"
        console.print_error("convexp-eval", f"data ({config.data.name}): {message}")
    if restored.changed:
        console.print_error("convexp-eval", restored.changed)
    finished = record is None or record.is_finished
    if not finished:
        console.print_error("convexp-eval", "the run has not finished; this is the best network that it has found so far")
    recomputed = recompute_metrics(restored.module, data, config)
    for name, mean in recomputed.items():
        console.out.print(f"{name:<10} {mean.over_samples:.7g}  ({compare_with_record(name, mean, record)})")
    for name, value in other_metrics(restored.module, data, config, record, set(recomputed)).items():
        compared = compare_with_record(name, Mean(value, value), record)
        console.out.print(f"{name:<10} {value:.7g}  ({compared}; by the run's own code, the task has no second one)")
    if finished and isinstance(read_playground(folder), LeftOut):
        console.out.print(f"{PLAYGROUND}: {console.escape(export_playground(restored.network, data, config, folder))}")
    if config.probes:
        reprobe(restored.network, data, config, folder)


def load_evaluation(cfg: DictConfig) -> Evaluation:
    """Parse and check the settings of convexp-eval.

    Raises:
        ConfigError: for a setting that it does not have or that is wrong, and if no run is named.
    """
    if added := [str(key) for key in cfg if key not in Evaluation.model_fields]:
        raise ConfigError(f"{added[0]}: there is no such setting{suggest(added[0], Evaluation.model_fields)}")
    values: Any = OmegaConf.to_container(cfg, resolve=True)
    chosen = validated(Evaluation, values)
    if chosen.run is None and not chosen.runs:
        raise ConfigError("run: is missing; say which run, as in convexp-eval run=outputs/runs/NAME")
    if chosen.run is not None and chosen.runs:
        raise ConfigError("run: names one run and runs several; give one of the two")
    if chosen.ensemble and chosen.run is not None:
        raise ConfigError(f"ensemble=true: needs several runs, as in runs=[{chosen.run},...]")
    defaults = {"members": None, "mean_of": "outputs", "folder": None}
    if not chosen.ensemble and (given := [name for name, value in defaults.items() if getattr(chosen, name) != value]):
        raise ConfigError(f"{given[0]}={getattr(chosen, given[0])}: is of an ensemble; add ensemble=true")
    return chosen


def named_runs(chosen: Evaluation) -> list[Path]:
    """The folders of the runs, those of a pattern in the order of their names.

    Raises:
        ConfigError: if there is no folder of a name, or no run of a pattern.
    """
    if chosen.run is not None:
        return [parse_path("run", chosen.run)]
    found: list[Path] = []
    for text in [chosen.runs] if isinstance(chosen.runs, str) else chosen.runs or []:
        path = parse_path("runs", text)
        if path.is_dir():
            found.append(path)
        elif has_magic(text):
            found += _matching(text, path)
        else:
            raise ConfigError(f"runs={text}: there is no such folder")
    return found


def _matching(text: str, pattern: Path) -> list[Path]:
    """The folders of a pattern that hold a run with a checkpoint."""
    root = Path(pattern.anchor)
    try:
        matches = sorted(root.glob(str(pattern.relative_to(root))))
    except ValueError as error:
        raise ConfigError(f"runs={text}: is no pattern ({error})") from None
    runs = [each for each in matches if (each / CHECKPOINT).is_file()]
    if not runs:
        raise ConfigError(f"runs={text}: no folder of this pattern holds a run with a {CHECKPOINT}")
    return runs


main = application("convexp-eval", "eval", task)

if __name__ == "__main__":
    main()
