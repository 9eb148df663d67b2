"""``convexp-eval runs=[...] ensemble=true``: the mean over runs of one configuration as one network."""

import re
from collections.abc import Sequence
from pathlib import Path

from convexp.config import Config, Evaluation, check_config
from convexp.config.folders import check_folder, check_writable, make_writable_folder
from convexp.config.run_folder import load_run_config
from convexp.config.user_paths import parse_path
from convexp.errors import ConfigError
from convexp.records import RunRecord, read_record
from convexp.records.ensembles import FILE, FOLDER, Member, read_ensemble, write_ensembles
from convexp.records.repetitions import result_settings
from convexp.records.settings import differing
from convexp.reporting.members import member_rows, sizes_up_to
from convexp.reporting.render.terminal import rich_table
from convexp.terminal import console

SEED = re.compile(r"(^|[-_,])seed=?\d+")  # in the name of a run's folder


def evaluate_ensemble(folders: Sequence[Path], chosen: Evaluation) -> None:
    """Evaluate the means over the runs in ``folders``, print a table, and write the results into a folder of their own.

    Raises:
        ConfigError: If they are no finished runs that differ in nothing but the seed, or a setting is wrong.
    """
    records = [finished(folder) for folder in folders]
    check_alike(records)
    by_seed = sorted(zip(folders, records, strict=True), key=lambda run: run[1].seed or 0)
    folders = [folder for folder, _ in by_seed]
    sizes = wanted_sizes(chosen, len(folders))
    runs = {folder: (run_config(folder, chosen), member(folder, record)) for folder, record in by_seed}
    if chosen.mean_of == "probabilities" and not next(iter(runs.values()))[0].outputs_are_scores:
        raise ConfigError("mean_of=probabilities: the outputs are no scores of classes (task.outputs); use mean_of=outputs")
    name = SEED.sub("", folders[0].name) or folders[0].absolute().parent.name  # of a sweep over the seed alone
    name += "-probabilities" if chosen.mean_of == "probabilities" else ""
    target = parse_path("folder", chosen.folder) if chosen.folder is not None else folders[0].parent / FOLDER / name
    check_target(target, folders)
    with console.status("loading torch"):  # torch and Lightning take seconds to import
        from convexp.execution.ensemble import evaluate_ensembles
        from convexp.execution.torch_setup import prepare_torch

    prepare_torch(next(iter(runs.values()))[0])
    record, measured = evaluate_ensembles(runs, records[0].data.images, sizes, chosen)
    caption = f"members: runs that the mean of {chosen.mean_of} is over; n: ensembles without a run in common; 95 % intervals"
    console.out.print(rich_table(member_rows(record), (), name, caption, console.out.width))
    for probe, reason in record.skipped.items():
        console.out.print(f"[yellow]{probe} skipped[/]: {console.escape(reason)}")
    make_writable_folder(f"folder={target}", target)
    write_ensembles(target, record)
    measured.save(target / "probes")
    from convexp.reporting.charts.members import members_chart  # matplotlib takes a while to import

    chart = members_chart(record, name)
    if chart is not None:
        chart.save(target)
    written = f"{FILE}, {'members.png, members.svg, ' if chart is not None else ''}and probes/ of the largest ensemble"
    console.out.print(f"written: {console.escape(console.display_path(target))}/ ({written})")


def finished(folder: Path) -> RunRecord:
    """The record of a finished run.

    Raises:
        ConfigError: If the folder holds none.
    """
    record = read_record(folder)
    if record is None or not record.is_finished:
        raise ConfigError(f"runs={folder}: holds no finished run")
    return record


def check_alike(records: Sequence[RunRecord]) -> None:
    """Check that runs differ in the seed and in nothing else.

    Raises:
        ConfigError: Naming the settings that differ, or the seed that there is twice.
    """
    if settings := differing([result_settings(record.config or {}) for record in records]):
        raise ConfigError(f"runs: differ in {', '.join(settings)}; the members of an ensemble differ in nothing but the seed")
    if len({record.data.images for record in records}) > 1:
        raise ConfigError("runs: have different images (data.checksum in result.json), although their settings are equal")
    seeds = [record.seed for record in records]
    if twice := [seed for seed in seeds if seeds.count(seed) > 1]:
        raise ConfigError(f"runs: have seed={twice[0]} twice; name each run once")


def wanted_sizes(chosen: Evaluation, runs: int) -> list[int]:
    """The numbers of members.

    Raises:
        ConfigError: If one is larger than the number of runs.
    """
    if chosen.members is None:
        return sizes_up_to(runs)
    if not chosen.members or max(chosen.members) > runs:
        raise ConfigError(f"members={chosen.members}: should be whole numbers from 1 to {runs}, the number of runs")
    return sorted({*chosen.members})


def run_config(folder: Path, chosen: Evaluation) -> Config:
    """The configuration of a run, with the probes that are chosen, or its own."""
    config = load_run_config(folder, "runs", chosen.data_root, chosen.changes)
    check_config(config)
    return config


def member(folder: Path, record: RunRecord) -> Member:
    """What is recorded of a run."""
    return Member(folder.name, record.identity or "", record.seed or 0)


def check_target(target: Path, folders: Sequence[Path]) -> None:
    """Check that the results can be written, and are not written into a run or over those of other runs.

    Raises:
        ConfigError: Otherwise.
    """
    setting = f"folder={target}"
    check_folder("folder", str(target))
    if any(target.resolve().is_relative_to(folder.resolve()) for folder in folders):
        raise ConfigError(f"{setting}: lies within a run, whose folder stays as it is; choose another")
    before = read_ensemble(target)
    if before is not None and {each.folder for each in before.runs} != {folder.name for folder in folders}:
        raise ConfigError(f"{setting}: holds ensembles of other runs; choose another folder, or delete it")
    check_writable(setting, target)
