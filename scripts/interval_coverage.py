"""How often the intervals of a mean of few differences cover the truth, and how wide they are: bootstrap-t beside Student's t.

    python scripts/interval_coverage.py [--sets 2000]

Prints the table of docs/concepts/statistics.md. Sets of n differences are drawn from distributions of mean 0 and deviation 1.
"""

import argparse
from collections.abc import Callable

import numpy as np
from tqdm import tqdm

from convexp.reporting.paired import paired_test
from convexp.reporting.statistics import deviation, t_quantile

Draw = Callable[[np.random.Generator, int], np.ndarray]
DISTRIBUTIONS: dict[str, Draw] = {
    "normal": lambda random, n: random.normal(size=n),
    "exponential (skewed)": lambda random, n: random.exponential(size=n) - 1,
    "one run in five fails": lambda random, n: (random.normal(size=n) - 5 * (random.random(n) < 0.2) + 1) / 5**0.5,
}
COLUMNS = (
    "differences",
    "n",
    "covered: bootstrap-t",
    "Student's t",
    "width of bootstrap-t / Student's t",
    "shown: bootstrap-t",
    "Student's t",
)
NUMBERS = (5, 6, 8, 10, 20)
EFFECT = 2  # deviations; the difference that is to be shown


def main() -> None:
    """Draw the sets and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", type=int, default=2000, help="sets of each distribution and size (default: 2000)")
    sets = parser.parse_args().sets
    print(f"| {' | '.join(COLUMNS)} |")
    print(f"| {' | '.join(['---'] * len(COLUMNS))} |")
    for name, draw in DISTRIBUTIONS.items():
        for n in NUMBERS:
            random = np.random.default_rng(n)
            rows = [_widths(draw(random, n)) for _ in tqdm(range(sets), desc=f"{name}, n = {n}", leave=False)]
            means, ours, student = np.array(rows).T
            covered = [np.mean(np.abs(means) <= widths) for widths in (ours, student)]
            shown = [np.mean(np.abs(means + EFFECT) > widths) for widths in (ours, student)]
            ratio, wide = np.quantile(ours / student, [0.5, 0.9], method="lower")
            print(
                f"| {name} | {n} | {covered[0]:.1%} | {covered[1]:.1%} | {ratio:.2f} (one in ten above {wide:.2f}) "
                f"| {shown[0]:.0%} | {shown[1]:.0%} |"
            )


def _widths(differences: np.ndarray) -> tuple[float, float, float]:
    """The mean of the differences, and half the widths of its two intervals; infinite where bootstrap-t has none."""
    values = differences.tolist()
    width = paired_test(values).half_width()
    student = t_quantile(len(values) - 1, 0.05) * deviation(values) / len(values) ** 0.5
    return float(np.mean(differences)), np.inf if width is None else width, student


if __name__ == "__main__":
    main()
