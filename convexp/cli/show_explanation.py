"""Print what is known about a network before it is trained: two tables, two answers, and the reasons."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from convexp.config import Config
from convexp.geometry import Size
from convexp.geometry.equivariance import Claim, Invariance
from convexp.geometry.explanation import Explanation, LayerFacts
from convexp.terminal import console

DIRECTIONS = {1: ("→",), 2: ("↓", "→")}  # of shifts along each dimension
SIDES = {1: ("columns",), 2: ("rows", "columns")}
MOVE = "a move: the whole map shifts by some number of units, which depends on the image"


def show_explanation(config: Config, explained: Explanation) -> None:
    """Print the explanation of the network of ``config``."""
    shape = config.data.input_shape
    title = f"model={config.model.name} data={config.data.name}: images of {_times(shape)}"
    console.out.print(Text(title, style="bold"))
    console.out.print(_sizes(explained))
    maps = [layer for layer in explained.layers if layer.circular]
    if maps:
        console.out.print(Text("\nequivariant: shifts of the image that shift the map, exactly", style="bold"))
        console.out.print(_claims(maps))
        if any(_moves(each) for layer in maps for each in layer.circular):
            console.out.print(Text(MOVE, style="dim"))
    console.out.print(Text("\ninvariant: shifts of the image that leave the answer exactly as it is", style="bold"))
    console.out.print(f"  circular   {_circular_answer(explained.circular)}", markup=False)
    console.out.print(f"  zero_fill  {_answer_on_black(explained.zero_fill, shape[1:])}", markup=False)
    if explained.reasons:
        console.out.print(Text("\nwhy not more", style="bold"))
    for reason in explained.reasons:
        console.out.print(f"  {reason}", markup=False)


def _table(*columns: str, right: Sequence[int] = ()) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), show_edge=False, header_style="dim")
    for index, name in enumerate(columns):
        table.add_column(name, justify="right" if index in right else "left")
    return table


def _sizes(explained: Explanation) -> Table:
    table = _table("layer", "output", "sees", "stride", "parameters", "FLOPs", right=(4, 5))
    for layer in explained.layers:
        field = _times(layer.field) if None not in layer.field else "all"
        cost = layer.cost
        costs = ("not known", "not known") if cost is None else (f"{cost.parameters:,}", f"{cost.flops:,}")
        table.add_row(layer.name, _times(layer.shape), field, _times(layer.stride), *costs)
    total = explained.total
    if total is not None:
        table.add_row("total", "", "", "", f"{total.parameters:,}", f"{total.flops:,}", style="bold")
    return table


def _claims(maps: Sequence[LayerFacts]) -> Table:
    table = _table("layer", "circular shifts", "zero_fill, crop")
    for layer in maps:
        sizes = layer.shape[1:]
        circular, moved = (
            _by_dimension([_claim(each, units) for each, units in zip(claims, sizes, strict=True)])
            for claims in (layer.circular, layer.moved)
        )
        table.add_row(layer.name, circular, "the same" if moved == circular != "none" else moved)
    return table


def _by_dimension(texts: Sequence[str]) -> str:
    """One text if it is the same for all dimensions, else a line for each."""
    if len({*texts}) == 1:
        return texts[0]
    return "\n".join(f"{way} {text}" for way, text in zip(DIRECTIONS[len(texts)], texts, strict=True))


def _claim(claim: Claim, units: int) -> str:
    if not claim.known:
        return "not known"
    if claim.everywhere:
        return f"{_step(claim.step)}, everywhere" + (f"\n({_step(claim.moves)} up to a move)" if _moves(claim) else "")
    if not claim.step:
        return "none"
    first, last = claim.units.start, claim.units.stop - 1
    return f"{_step(claim.step)}, {f'units {first}-{last}' if last > first else f'unit {first}'} of {units}"


def _moves(claim: Claim) -> bool:
    """Whether more shifts move the map than those that move it by a known number of units."""
    return 0 < claim.moves != claim.step


def _step(step: int) -> str:
    return {0: "none", 1: "all shifts"}.get(step, f"multiples of {step}")


def _circular_answer(found: Sequence[Invariance]) -> str:
    return _by_dimension([_step(each.step) if each.known else "not known" for each in found]).replace("\n", "; ")


def _answer_on_black(found: Sequence[Invariance], size: Size) -> str:
    if not all(each.known for each in found):
        return "not known"
    steps = _by_dimension([_step(each.step) for each in found]).replace("\n", "; ")
    if not any(each.step for each in found):
        return steps
    sides = zip(SIDES[len(found)], found, size, strict=True)
    inside = [f"{side} {each.content.start} to {each.content.stop - 1}" for side, each, n in sides if 0 < len(each.content) < n]
    what = f"all but {' and '.join(inside)} stays black" if inside else "the rest is black and nothing is cut off"
    return f"{steps}, as long as {what}"


def _times(numbers: Sequence[int | None]) -> str:
    return "x".join(map(str, numbers))
