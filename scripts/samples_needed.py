"""The samples that each wiring needs on dsd or srhm, and how that number grows with the size of the problem.

    python scripts/samples_needed.py outputs/studies/sample_efficiency_dsd
    python scripts/samples_needed.py outputs/studies/paper_lahoti_noise --by model model.activation
    python scripts/samples_needed.py outputs/studies/paper_srhm

On dsd they are those for 75 %, over the number k of patches. On srhm they are those for 90 %, over the number s0 + 1 of
positions for each feature, by the number L of levels.

For each seed the accuracy over the logarithm of the samples is interpolated linearly; the exponent is
log(n(k2) / n(k1)) / log(k2 / k1) for the smallest and the largest k. Beside it, the exponent of the theory up to logarithms
(Lahoti et al. 2024, arXiv 2403.15707): conv at most sigma^2 (k + d), local at least sigma^2 k d and at most sigma^2 k (k + d),
dense at least sigma^2 k^2 d, where sigma is the noise at each k. For
srhm it is that of Tomasini & Wyart 2024 (arXiv 2404.10727), as we know it from others' notes of the paper; its text was not
read. A seed whose accuracy does not pass the threshold between the smallest and the largest number of samples tried gives no
number, and is counted in no n. The claims of docs/literature.md have the slope over all k, and are not decided by some seeds
alone.
"""

import argparse
import json
import sys
from math import log, prod
from pathlib import Path

import pandas

from convexp.errors import ConvexpError
from convexp.reporting.claims.exponents import samples_needed, slope
from convexp.reporting.statistics import mean
from convexp.runs import load

THRESHOLD = 0.75  # on dsd
SRHM_THRESHOLD = 0.9
EMPTY, LEVELS, NOISE = "data.source.s0", "data.source.levels", "data.source.sigma"
PATCH = 16  # pixels, d
THEORY = {
    "conv": ("at most {}", [lambda k, d: k + d]),
    "local": ("{} to {}", [lambda k, d: k * d, lambda k, d: k * (k + d)]),
    "dense": ("at least {}", [lambda k, d: k * k * d]),
}


def needed(runs: pandas.DataFrame, threshold: float = THRESHOLD) -> float | None:
    """Samples at which the accuracy of one seed first passes the threshold; None if it does not within the sizes tried."""
    return samples_needed(zip(runs["data.train_size"].astype(float), runs["test/acc"], strict=True), threshold)


def shown(values: list[float | None]) -> str:
    """Mean, 95 % interval and n of those that are there."""
    there = [value for value in values if value is not None]
    if not there:
        return "not within the sizes tried"
    m = mean(there)
    return f"{m.mean:.3g}" + ("" if m.high is None else f" +- {m.high - m.mean:.2g}") + f" (n = {m.n})"


def exponent(sizes: tuple[int, int], needed: tuple[float | None, float | None]) -> float | None:
    """The exponent of the growth between two sizes; None where a number of samples is missing."""
    points = [(log(size), log(samples)) for size, samples in zip(sizes, needed, strict=True) if samples is not None]
    return slope(points) if len(points) == len(sizes) else None


def theory(model: str, srhm: bool, levels: int | None, sizes: tuple[int, int], noise: tuple[float, float]) -> str:
    """The exponents that the papers give for a wiring; empty if they give none, or on srhm if the levels are not known.

    ``noise`` is that at the two sizes.
    """
    if srhm:
        said = {"local": levels, "conv": 2}.get(model)
        return "" if said is None else f", by notes on the paper {said}"
    if model not in THEORY:
        return ""
    text, bounds = THEORY[model]
    (low, high), (before, after) = sizes, noise
    exponents = [exponent(sizes, (before**2 * bound(low, PATCH), after**2 * bound(high, PATCH))) for bound in bounds]
    return f", in theory {text.format(*(f'{each:.2f}' for each in exponents))}"


def main(folder: Path, by: list[str]) -> None:
    """Print a row for every wiring, or for every combination of the settings ``by``."""
    runs = load(folder)
    srhm = set(runs["data"].dropna()) == {"srhm"}
    for setting in ("data.train_size", EMPTY if srhm else "data.image_shape", *(by if by != ["model"] else ())):
        if setting not in runs:
            raise ConvexpError(f"{folder}: {setting} is the same in all runs; run the study with several values of it")
    runs = runs[runs["state"] == "finished"].copy()
    shapes = runs["data.image_shape"]
    runs["size"] = runs[EMPTY] + 1 if srhm else [prod(json.loads(shape)) // PATCH for shape in shapes]
    threshold, name = (SRHM_THRESHOLD, "s0 + 1") if srhm else (THRESHOLD, "k")
    print(f"samples for {threshold:.0%}, and the exponent of their growth with {name}: mean +- 95 % interval over n seeds")
    for key, its in runs.groupby([*by, *([LEVELS] if LEVELS in runs else [])], sort=False):
        low, high = sizes = int(its["size"].min()), int(its["size"].max())
        table = {size: {seed: needed(r, threshold) for seed, r in of.groupby("seed")} for size, of in its.groupby("size")}
        title = ", ".join(map(str, key))
        print("; ".join([title, *(f"{name} = {size}: {shown(list(found.values()))}" for size, found in table.items())]))
        if low < high:
            slopes = [exponent(sizes, (table[low].get(seed), many)) for seed, many in table[high].items()]
            levels = int(its[LEVELS].iloc[0]) if LEVELS in runs else None
            noise = its.groupby("size")[NOISE].first() if NOISE in its else {low: 1.0, high: 1.0}
            said = theory(str(its["model"].iloc[0]), srhm, levels, sizes, (noise[low], noise[high]))
            print(f"  exponent {shown(slopes)}{said}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--by", nargs="+", default=["model"], metavar="SETTING", help="settings with a row for each value")
    arguments = parser.parse_args()
    try:
        main(arguments.folder, arguments.by)
    except ConvexpError as error:
        sys.exit(str(error))
