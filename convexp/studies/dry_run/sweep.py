"""A sweep that is only looked at: listed as it would be run, and checked as if it were."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from omegaconf import DictConfig

from convexp.config.user_paths import absolute_path
from convexp.engines.places import places
from convexp.errors import ConfigError
from convexp.records import RunStatus
from convexp.studies.composer import Composer
from convexp.studies.dry_run.forecast import forecast
from convexp.studies.dry_run.text import print_axes, print_forecast, print_runs
from convexp.studies.plan_summary import print_plan
from convexp.studies.planning import Job, axis_values
from convexp.studies.reuse.candidates import Reusable, reuse_line
from convexp.studies.study import ExpandedStudy
from convexp.terminal import console

NOTHING_WRITTEN = "dry run, nothing is written"


def show_sweep(
    cfg: DictConfig,
    name: str | None,
    expanded: ExpandedStudy,
    jobs: list[Job],
    composer: Composer,
    held: Mapping[str, str],
    reusable: Reusable,
) -> None:
    """Print what a sweep would do.

    Args:
        cfg: The configuration of the sweep.
        name: The name of the study; None for a sweep by ``-m``.
        expanded: Its axes.
        jobs: Its runs with their states.
        composer: Composes their configurations, within ``hydra_values``.
        held: Where runs are that an engine holds, by their folders.
        reusable: The runs that others have finished.

    Raises:
        ConfigError: if the settings of a run are wrong.
    """
    root = Path(cfg.hydra.sweep.dir)
    wanted = [job for job in jobs if job.folder not in held and not (cfg.get("reuse") and job.folder in reusable.runs)]
    outputs = absolute_path("outputs", cfg.outputs, Path.cwd())
    expected = forecast(wanted, composer, root.absolute(), outputs, places(cfg))
    print_plan(jobs, root, name, held, f" ({NOTHING_WRITTEN})")
    print_axes(axis_values(expanded.axes, [job.values for job in jobs]))
    print_runs(jobs, expected, _notes(jobs, held, reusable, cfg.get("reuse")))
    for line in reuse_line(reusable, len(jobs), cfg.get("reuse")):
        console.out.print(line, markup=False)
    print_forecast(expected, root)
    check_all_valid(jobs)


def _notes(jobs: Sequence[Job], held: Mapping[str, str], reusable: Reusable, reuse: bool) -> dict[str, str]:
    verb = "would be taken over from" if reuse else "would run, though finished in"
    taken = {folder: f"{verb} {console.display_path(found[0].folder)}" for folder, found in reusable.runs.items()}
    finished = {job.folder for job in jobs if job.state is RunStatus.FINISHED}
    return taken | {folder: where for folder, where in held.items() if folder not in finished}


def check_all_valid(jobs: Sequence[Job]) -> None:
    """Check that the settings of all jobs are valid.

    Raises:
        ConfigError: what is wrong with the first that are not, and how many more there are.
    """
    wrong = [job for job in jobs if job.error]
    if wrong:
        more = f" (and {len(wrong) - 1:,} more runs with wrong settings)" if len(wrong) > 1 else ""
        raise ConfigError(f"{wrong[0].folder}: {wrong[0].error}{more}")
