"""Print settings and results to the terminal."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.tree import Tree

from convexp.config.help.settings import SettingHelp
from convexp.records import RunRecord
from convexp.records.plan_part import Sweep
from convexp.terminal import console
from convexp.terminal.commands import dashboard_command


def differences(title: str, overrides: list[str]) -> None:
    """Print in one line which overrides set a run apart from the defaults."""
    text = " ".join(overrides) or "all settings have their default values"
    console.out.print(f"[bold]{escape(title)}[/]: {escape(text)} [dim](to see all settings: hydra.verbose=true)[/]")


def settings(values: dict[str, Any], title: str) -> None:
    """Print a configuration as a tree."""
    tree = Tree(f"[bold]{escape(title)}[/]", guide_style="dim")
    _add_branches(tree, values)
    console.out.print(tree)


def _add_branches(tree: Tree, values: dict[str, Any]) -> None:
    for key, value in values.items():
        if isinstance(value, dict):
            _add_branches(tree.add(f"[cyan]{escape(str(key))}[/]"), value)
        else:
            tree.add(f"{escape(str(key))}: {escape('null' if value is None else str(value))}")


def setting_help(settings: Iterable[SettingHelp]) -> None:
    """Print what settings mean, each in up to three lines."""
    for each in settings:
        value = "null" if each.value is None else str(each.value).lower() if isinstance(each.value, bool) else each.value
        console.out.print(f"[bold cyan]{escape(each.setting)}[/]={escape(str(value))}")
        for line in filter(None, (each.allowed, each.meaning)):
            console.out.print(f"  {escape(line)}")


def options(group: str, chosen: Any, titles: dict[str, str], origins: dict[str, str]) -> None:
    """Print the options of a group with their titles, and their origin if it is not convexp; an asterisk marks the chosen."""
    console.out.print(f"[bold]{escape(group)}=OPTION[/]")
    width = max(map(len, titles))
    for name, title in titles.items():
        origin = f" [dim](from {escape(origins[name])})[/]" if name in origins else ""
        mark = "*" if name == chosen or (isinstance(chosen, list) and name in chosen) else " "
        console.out.print(f"{mark} [cyan]{escape(name):<{width}}[/]  {escape(title)}{origin}")


def _headline(metrics: dict[str, float]) -> str:
    """The test accuracy; of a task without one, its test metrics; of a network that was only counted, its cost."""
    if "cost/parameters" in metrics:
        return f"{metrics['cost/parameters']:,.0f} parameters, {metrics['cost/training_bytes'] / 1e6:,.1f} MB to train"
    if "test/acc" not in metrics:
        tested = [(name, value) for name, value in metrics.items() if name.startswith("test/")]
        return "test " + (", ".join(f"{escape(name[5:])} {value:.4g}" for name, value in tested) or "logged nothing")
    shifted = metrics.get("probe/shift_map/mean")
    shift = "" if shifted is None else f", under shift {shifted:.2%} (worst {metrics['probe/shift_map/worst']:.2%})"
    return f"test accuracy {metrics['test/acc']:.2%}{shift}"


def run(record: RunRecord, folder: Path, sweep: Sweep | None) -> None:
    """Print the result of one run of a sweep in a line that begins with its number and the number of runs."""
    plan = sweep.plan if sweep else None
    name = str(folder.relative_to(sweep.root)) if sweep else folder.name
    place = f"[dim]{plan.number + 1}/{plan.count}[/] " if plan and plan.number is not None else ""
    console.out.print(f"{place}[bold]{escape(name)}[/]: {_headline(record.metrics)}, {record.seconds.total:.1f} s")


def result(record: RunRecord, folder: str) -> None:
    """Print the result of a single run as a paragraph."""
    metrics, network = record.metrics, record.network
    assert network is not None
    console.out.print(f"[bold]{escape(record.name or '')}[/]: {_headline(metrics)}")
    counts = f"{network.tested_parameters:,} parameters, {network.tested_flops:,} FLOPs per image forward"
    if network.relaxed_parameters is not None:
        counts += f" ({network.parameters:,} and {network.flops:,} before it was relaxed)"
    epochs = (
        f", best epoch {metrics['best_epoch'] + 1} of {metrics['epochs']}, {metrics['seconds_per_epoch']:.2f} s per epoch"
        if metrics.get("best_epoch", -1) >= 0
        else ""
    )
    console.out.print(f"  {counts}{epochs}, {record.seconds.total:.1f} s in total")
    console.out.print(f"  {escape(folder)}/result.json")
    if "epochs" in metrics:
        console.out.print(f"  {escape(dashboard_command(folder))}")
