"""The samples that each wiring needs for 75 % on dsd, and how that number grows with the number k of patches.

    python scripts/samples_needed.py outputs/studies/sample_efficiency_dsd

For each seed the accuracy over the logarithm of the samples is interpolated linearly; the exponent is
log(n(k2) / n(k1)) / log(k2 / k1). Beside it, the exponent of the theory up to logarithms (Lahoti et al. 2024, arXiv
2403.15707): conv k + d, local between k d and k (k + d), dense k^2 d. A seed whose accuracy does not pass 75 % between the
smallest and the largest number of samples tried gives no number, and is counted in no n.
"""

import json
import math
import sys
from pathlib import Path

import pandas

from convexp.errors import ConvexpError
from convexp.reporting.statistics import mean
from convexp.runs import load

THRESHOLD = 0.75
PATCH = 16  # pixels, d
THEORY = {
    "conv": [lambda k, d: k + d],
    "local": [lambda k, d: k * d, lambda k, d: k * (k + d)],
    "dense": [lambda k, d: k * k * d],
}


def needed(runs: pandas.DataFrame) -> float | None:
    """Samples at which the accuracy of one seed first passes the threshold; None if it does not within the sizes tried."""
    runs = runs.sort_values("data.train_size")
    points = list(zip(runs["data.train_size"].astype(float), runs["test/acc"], strict=True))
    first = next((i for i, (_, accuracy) in enumerate(points) if accuracy >= THRESHOLD), 0)
    if first == 0:
        return None
    (few, low), (many, high) = points[first - 1 : first + 1]
    return few * (many / few) ** ((THRESHOLD - low) / (high - low))


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


def main(folder: Path) -> None:
    """Print a row for every wiring."""
    runs = load(folder)
    for setting in ("data.image_shape", "data.train_size"):
        if setting not in runs:
            raise ConvexpError(f"{folder}: {setting} is the same in all runs; run the study with several values of it")
    runs = runs[runs["state"] == "finished"].copy()
    runs["k"] = [math.prod(json.loads(shape)) // PATCH for shape in runs["data.image_shape"]]
    low, high = runs["k"].min(), runs["k"].max()
    print(f"samples for {THRESHOLD:.0%}, and the exponent of their growth with k: mean +- 95 % interval over n seeds")
    for model, its in runs.groupby("model", sort=False):
        table = {k: {seed: needed(r) for seed, r in of.groupby("seed")} for k, of in its.groupby("k")}
        print("; ".join([f"{model}", *(f"k = {k}: {shown(list(found.values()))}" for k, found in table.items())]))
        if low in table and high in table:
            slopes = [exponent(table[low].get(seed), many, high / low) for seed, many in table[high].items()]
            theory = [exponent(f(low, PATCH), f(high, PATCH), high / low) for f in THEORY[str(model)]]
            print(f"  exponent {shown(slopes)}, in theory {' to '.join(f'{t:.2f}' for t in theory)}")


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]))
    except ConvexpError as error:
        sys.exit(str(error))
