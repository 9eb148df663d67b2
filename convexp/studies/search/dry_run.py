"""``dry_run=true`` of a search: what is searched, how far it is, and what the rest would cost."""

from pathlib import Path

from omegaconf import DictConfig

from convexp.config import Config
from convexp.engines.places import places
from convexp.records.search import RUNNING, read_search
from convexp.studies.dry_run.forecast import Forecast, runs_around
from convexp.studies.dry_run.shapes import Estimate, Shapes
from convexp.studies.dry_run.sweep import NOTHING_WRITTEN
from convexp.studies.dry_run.text import print_forecast
from convexp.studies.search.settings import SearchSettings
from convexp.studies.search.task import SearchTask, shown_space
from convexp.terminal import console
from convexp.terminal.words import plural


def show_search(cfg: DictConfig, settings: SearchSettings, task: SearchTask, example: Config) -> None:
    """Print what a search would do. Which settings it would try is known only when earlier trials have ended.

    Args:
        cfg: The configuration of the sweep.
        settings: How the space is searched.
        task: What the search is about.
        example: A configuration of the space, whose like the runs are taken to be.
    """
    root = Path(cfg.hydra.sweep.dir)
    before = read_search(root)
    ended = sum(trial.state != RUNNING for trial in before.trials) if before else 0
    left = max(0, settings.n_trials - ended)
    done = f", {ended} of them done" if ended else ""
    seeds = f" with seeds {', '.join(map(str, task.seeds))}" if len(task.seeds) > 1 else ""
    console.out.print(
        f"search of {plural(settings.n_trials, 'trial')}{done}{seeds} in {console.display_path(root)}: "
        f"{plural(left * len(task.seeds), 'run')} ({settings.sampler}, {task.direction} {task.metric}) ({NOTHING_WRITTEN})",
        markup=False,
    )
    for key, values in task.space.items():
        console.out.print(f"  {key}  {shown_space(values)}", markup=False)
    outputs = Path(example.outputs)
    shapes = Shapes(runs_around(root.absolute(), outputs), [(example.model_dump(by_alias=True), example.seed)])
    estimates: dict[str, Estimate | None] = {f"{i}": shapes.estimate(0) for i in range(left * len(task.seeds))}
    at_once = places(cfg)
    most = settings.trials_at_once * len(task.seeds)  # runs that are handed to the launcher together
    print_forecast(Forecast(estimates, {}, None if at_once is None else min(at_once, most)), root)
