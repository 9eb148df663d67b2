"""The samples that each wiring needs for 75 % on dsd, and how that number grows with the number k of patches.

    python scripts/samples_needed.py outputs/studies/sample_efficiency_dsd

For each seed the accuracy over the logarithm of the samples is interpolated linearly; the exponent is
log(n(k2) / n(k1)) / log(k2 / k1). Beside it, the exponent of the theory up to logarithms (Lahoti et al. 2024, arXiv
2403.15707): conv k + d, local between k d and k (k + d), dense k^2 d.
"""

import json
import math
import sys
from pathlib import Path

import numpy as np
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


def needed(runs: pandas.DataFrame) -> float:
    """Samples at which the accuracy passes the threshold; NaN if it does not within the sizes tried."""
    runs = runs.sort_values("data.train_size")
    sizes, accuracy = np.log(runs["data.train_size"].to_numpy(float)), runs["test/acc"].to_numpy(float)
    above = np.flatnonzero(accuracy >= THRESHOLD)
    if len(above) == 0 or above[0] == 0:
        return math.nan
    i = above[0]
    share = (THRESHOLD - accuracy[i - 1]) / (accuracy[i] - accuracy[i - 1])
    return float(np.exp(sizes[i - 1] + share * (sizes[i] - sizes[i - 1])))


def shown(values: list[float]) -> str:
    """Mean and 95 % interval."""
    m = mean(values)
    return f"{m.mean:.3g}" + ("" if m.half_width is None else f" +- {m.half_width:.2g}")


def main(folder: Path) -> None:
    """Print a row for every wiring."""
    runs = load(folder)
    runs = runs[runs["state"] == "finished"].copy()
    runs["k"] = [math.prod(json.loads(shape)) // PATCH for shape in runs["data.image_shape"]]
    patches = sorted(runs["k"].unique())
    print(f"samples for {THRESHOLD:.0%}, exponent in k: mean +- 95 % interval over n seeds")
    for model, its in runs.groupby("model", sort=False):
        table = {k: {seed: needed(r) for seed, r in of.groupby("seed")} for k, of in its.groupby("k")}
        cells = [f"k={k}: {shown(list(table[k].values()))}" for k in patches]
        low, high = patches[0], patches[-1]
        slopes = [math.log(table[high][s] / table[low][s]) / math.log(high / low) for s in table[low]]
        theory = [math.log(f(high, PATCH) / f(low, PATCH)) / math.log(high / low) for f in THEORY[str(model)]]
        said = " to ".join(f"{t:.2f}" for t in theory)
        print(f"{model:6} {'  '.join(cells)}  exponent {shown(slopes)} (theory {said}), n = {len(slopes)}")


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]))
    except ConvexpError as error:
        sys.exit(str(error))
