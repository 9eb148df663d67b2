"""The samples that each wiring needs on dsd or srhm, and how that number grows with the size of the problem.

    python scripts/samples_needed.py outputs/studies/sample_efficiency_dsd
    python scripts/samples_needed.py outputs/studies/paper_lahoti_lsa --by model.activation optimizer._target_
    python scripts/samples_needed.py outputs/studies/paper_srhm

On dsd they are those for 75 %, over the number k of patches. On srhm they are those for 90 %, over the number s0 + 1 of
positions for each feature, by the number L of levels.

For each seed the accuracy over the logarithm of the samples is interpolated linearly; the exponent is
log(n(k2) / n(k1)) / log(k2 / k1). Beside it, the exponent of the theory up to logarithms (Lahoti et al. 2024, arXiv
2403.15707): conv k + d, local between k d and k (k + d), dense k^2 d. A seed whose accuracy does not pass 75 % between the
smallest and the largest number of samples tried gives no number, and is counted in no n.
"""

import argparse
import json
import math
import sys
from pathlib import Path

import pandas

from convexp.errors import ConvexpError
from convexp.reporting.statistics import mean
from convexp.runs import load

THRESHOLD = 0.75  # on dsd
SRHM_THRESHOLD = 0.9
EMPTY, LEVELS = "data.source.s0", "data.source.levels"
PATCH = 16  # pixels, d
THEORY = {
    "conv": [lambda k, d: k + d],
    "local": [lambda k, d: k * d, lambda k, d: k * (k + d)],
    "dense": [lambda k, d: k * k * d],
}


def needed(runs: pandas.DataFrame, threshold: float = THRESHOLD) -> float | None:
    """Samples at which the accuracy of one seed first passes the threshold; None if it does not within the sizes tried."""
    runs = runs.sort_values("data.train_size")
    points = list(zip(runs["data.train_size"].astype(float), runs["test/acc"], strict=True))
    first = next((i for i, (_, accuracy) in enumerate(points) if accuracy >= threshold), 0)
    if first == 0:
        return None
    (few, low), (many, high) = points[first - 1 : first + 1]
    return few * (many / few) ** ((threshold - low) / (high - low))


def shown(values: list[float | None]) -> str:
    """Mean, 95 % interval and n of those that are there."""
    there = [value for value in values if value is not None]
    if not there:
        return "not within the sizes tried"
    m = mean(there)
    return f"{m.mean:.3g}" + ("" if m.high is None else f" +- {m.high - m.mean:.2g}") + f" (n = {m.n})"


def exponent(few: float | None, many: float | None, ratio: float) -> float | None:
    """The exponent of a power of k that grows from ``few`` to ``many`` while k grows ``ratio`` times."""
    return None if few is None or many is None else math.log(many / few) / math.log(ratio)


def theory(model: str, levels: int | None, low: int, high: int) -> str:
    """The exponents that the papers give for a wiring, on srhm if there are ``levels``, else on dsd; empty without any."""
    if levels is not None:
        return {"local": f", in the paper {levels}", "conv": ", in the paper 2"}.get(model, "")
    exponents = [exponent(f(low, PATCH), f(high, PATCH), high / low) for f in THEORY.get(model, [])]
    return f", in theory {' to '.join(f'{t:.2f}' for t in exponents)}" if exponents else ""


def main(folder: Path, by: list[str]) -> None:
    """Print a row for every wiring, or for every combination of the settings ``by``."""
    runs = load(folder)
    srhm = EMPTY in runs
    for setting in ("data.train_size", *(() if srhm else ("data.image_shape",)), *(by if by != ["model"] else ())):
        if setting not in runs:
            raise ConvexpError(f"{folder}: {setting} is the same in all runs; run the study with several values of it")
    runs = runs[runs["state"] == "finished"].copy()
    shapes = runs["data.image_shape"]
    runs["size"] = runs[EMPTY] + 1 if srhm else [math.prod(json.loads(shape)) // PATCH for shape in shapes]
    threshold, name = (SRHM_THRESHOLD, "s0 + 1") if srhm else (THRESHOLD, "k")
    print(f"samples for {threshold:.0%}, and the exponent of their growth with {name}: mean +- 95 % interval over n seeds")
    for key, its in runs.groupby([*by, *([LEVELS] if LEVELS in runs else [])], sort=False):
        low, high = int(its["size"].min()), int(its["size"].max())
        table = {size: {seed: needed(r, threshold) for seed, r in of.groupby("seed")} for size, of in its.groupby("size")}
        title = ", ".join(map(str, key))
        print("; ".join([title, *(f"{name} = {size}: {shown(list(found.values()))}" for size, found in table.items())]))
        if low < high:
            slopes = [exponent(table[low].get(seed), many, high / low) for seed, many in table[high].items()]
            levels = int(its[LEVELS].iloc[0]) if LEVELS in runs else None
            model = str(its["model"].iloc[0]) if "model" in its else "dense"
            print(f"  exponent {shown(slopes)}{theory(model, levels, low, high)}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--by", nargs="+", default=["model"], metavar="SETTING", help="settings with a row for each value")
    arguments = parser.parse_args()
    try:
        main(arguments.folder, arguments.by)
    except ConvexpError as error:
        sys.exit(str(error))
