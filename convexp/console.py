"""What is said on the terminal."""

import logging
import shlex
import shutil
import sys
import warnings
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from multiprocessing import current_process
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console
from rich.markup import escape
from rich.tree import Tree

from convexp.config.described import Described
from convexp.docstrings import Entry
from convexp.runs.plan import read_plan, sweep_root

T = TypeVar("T")

out = Console(highlight=False, soft_wrap=True, emoji=False)
err = Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)
warned: set[str] = set()


def complain(program: str, message: str) -> None:
    """One line on stderr."""
    err.print(f"[bold red]{program}:[/] {escape(' '.join(message.split()))}")


def is_terminal() -> bool:
    """Whether somebody watches: progress bars are for people, and processes side by side would draw theirs over each other."""
    return sys.stdout.isatty() and current_process().name == "MainProcess"


def track(items: Iterable[T], what: str, total: int | None = None, delay: float = 1) -> Iterator[T]:
    """The items, with a progress bar if somebody watches and it takes longer than ``delay`` s; it disappears at the end."""
    if not is_terminal():
        return iter(items)
    from tqdm import tqdm

    return iter(tqdm(items, what, total, leave=False, delay=delay, dynamic_ncols=True))


def say(from_out: str, from_err: str) -> None:
    """Pass on what another process has said, above a progress bar if there is one."""
    with _above_the_bar():
        out.out(from_out, end="")
        err.out(from_err, end="")


def _above_the_bar() -> AbstractContextManager[None]:
    if not is_terminal():
        return nullcontext()
    from tqdm import tqdm

    return tqdm.external_write_mode()


def shorten(path: Path) -> str:
    """The path from here, if it lies below here."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_absolute() and path.is_relative_to(here) else path)


def told(setting: str, path: Path) -> str:
    """``setting=path`` as it can be typed on a command line: quoted for Hydra where it has to be, and for the shell."""
    from convexp.config.spelling import override  # Hydra, which a report needs only here

    return shlex.quote(override(setting, path))


def tensorboard(logdir: str) -> str:
    """The command that shows ``logdir``, as it can be typed here."""
    ours = Path(sys.executable).parent / "tensorboard"
    found = shutil.which("tensorboard")
    program = "tensorboard" if found is not None and Path(found) == ours else shorten(ours)
    return f"{program} --logdir {shlex.quote(logdir)}"


@contextmanager
def passing(what: str) -> Generator[None]:
    """Say what takes its time while somebody watches; the line disappears at the end."""
    with out.status(what) if is_terminal() else nullcontext():
        yield


def warn(message: str) -> None:
    """A line on stderr, above a progress bar; the same one only once."""
    if message not in warned:
        warned.add(message)
        with _above_the_bar():
            err.print(f"warning: {' '.join(message.split())}", markup=False, style="yellow")


@contextmanager
def warnings_once() -> Generator[None]:
    """What Python warns of is handed to ``warn``."""
    before = warnings.showwarning
    warnings.showwarning = lambda message, *_rest: warn(str(message))  # pyright: ignore
    try:
        yield
    finally:
        warnings.showwarning = before


class Warnings(logging.Handler):
    """Hands what is logged to ``warn`` (conf/hydra/job_logging/quiet.yaml)."""

    def emit(self, record: logging.LogRecord) -> None:
        """Say what the record says."""
        warn(record.getMessage())


def show_differences(title: str, differences: list[str]) -> None:
    """Say in a line what sets a run apart from the defaults."""
    said = " ".join(differences) or "all settings as they are by default"
    out.print(f"[bold]{escape(title)}[/]: {escape(said)} [dim](all settings: hydra.verbose=true)[/]")


def show_settings(settings: dict[str, Any], title: str) -> None:
    """A configuration as a tree."""
    tree = Tree(f"[bold]{escape(title)}[/]", guide_style="dim")
    _grow(tree, settings)
    out.print(tree)


def _grow(tree: Tree, settings: dict[str, Any]) -> None:
    for key, value in settings.items():
        if isinstance(value, dict):
            _grow(tree.add(f"[cyan]{escape(str(key))}[/]"), value)
        else:
            tree.add(f"{escape(str(key))}: {escape('null' if value is None else str(value))}")


def show_described(settings: Iterable[Described]) -> None:
    """What settings mean, each in up to three lines."""
    for each in settings:
        value = "null" if each.value is None else str(each.value).lower() if isinstance(each.value, bool) else each.value
        out.print(f"[bold cyan]{escape(each.setting)}[/]={escape(str(value))}")
        for line in filter(None, (each.allowed, each.meaning)):
            out.print(f"  {escape(line)}")


def show_options(group: str, chosen: Any, options: dict[str, str]) -> None:
    """The options of a group; the chosen one is marked."""
    out.print(f"[bold]{escape(group)}=OPTION[/]")
    width = max(map(len, options))
    for name, what in options.items():
        mark = "*" if name == chosen or (isinstance(chosen, list) and name in chosen) else " "
        out.print(f"{mark} [cyan]{escape(name):<{width}}[/]  {escape(what)}")


def show_numbers(probe: str, numbers: Sequence[tuple[str, float, Entry | None]]) -> None:
    """What a probe found, a line for each number: name, value, unit, meaning; what is meant of every layer is said once."""
    width = max((len(f"{probe}/{name}") for name, _, _ in numbers), default=0)
    said: set[Entry] = set()
    for name, value, entry in numbers:
        unit, meaning = (entry.kind, "" if entry in said else entry.text.replace("``", "")) if entry else ("", "")
        said |= {entry} if entry else set()
        line = f"[cyan]{escape(f'{probe}/{name}'):<{width}}[/]  {value:<12.6g} {escape(unit):<11} {escape(meaning)}"
        out.print(line.rstrip())


def _accuracy(metrics: dict[str, float]) -> str:
    if "test/acc" not in metrics:
        return f"{metrics['cost/parameters']:,.0f} parameters, {metrics['cost/training_bytes'] / 1e6:,.1f} MB to train"
    shifted = metrics.get("probe/shift_map/mean")
    shift = "" if shifted is None else f", under shift {shifted:.2%} (worst {metrics['probe/shift_map/worst']:.2%})"
    return f"test accuracy {metrics['test/acc']:.2%}{shift}"


def show_run(result: dict[str, Any], folder: Path) -> None:
    """What came out of one run of a sweep, in a line that begins with its number and how many there are."""
    root = sweep_root(folder)
    plan = read_plan(root) if root else None
    names = [run.folder for run in plan.runs] if plan else []
    name = str(folder.relative_to(root)) if root else folder.name
    place = f"[dim]{names.index(name) + 1}/{len(names)}[/] " if name in names else ""
    out.print(f"{place}[bold]{escape(name)}[/]: {_accuracy(result['metrics'])}, {result['seconds']['total']:.1f} s")


def show_result(result: dict[str, Any], folder: str) -> None:
    """What came out of a run, as a paragraph."""
    metrics, seconds = result["metrics"], result["seconds"]
    out.print(f"[bold]{escape(result['name'])}[/]: {_accuracy(metrics)}")
    counts = f"{result['network']['parameters']:,} parameters, {result['network']['flops']:,} FLOPs per image forward"
    epochs = (
        f", best epoch {metrics['best_epoch'] + 1} of {metrics['epochs']}, {metrics['seconds_per_epoch']:.2f} s per epoch"
        if "epochs" in metrics
        else ""
    )
    out.print(f"  {counts}{epochs}, {seconds['total']:.1f} s in all")
    out.print(f"  {escape(folder)}/result.json")
    if "epochs" in metrics:
        out.print(f"  {escape(tensorboard(folder))}")
