"""Draws docs/benchmarks.md, and the figures in docs/gpu.md, from the files that benchmarks have stored in docs/benchmarks/.

python scripts/results_page.py
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parents[1] / "docs"
GPU = "scripts/gpu_check.py"  # has a page of its own
BEGIN, END = "<!-- figures: python scripts/results_page.py -->", "<!-- end of figures -->"
HEAD = """# Benchmarks

What the programs `bench_*.py` in `scripts/` have measured, by machine. The page is drawn from the files in `docs/benchmarks/`,
one for each machine; a benchmark puts its figures there, in place of older ones of the same command, if it is told the folder:

<!-- needs: time -->
```bash
CONVEXP_BENCHMARKS=docs/benchmarks python scripts/bench_augment.py data=digits
python scripts/results_page.py
```

Figures are medians with range over `n` rounds; ratios (`x`) are taken round by round. What a benchmark measures and how is said
at the head of its file. Those of `scripts/gpu_check.py` are on [the page on GPUs](gpu.md#measured).
"""


def main() -> None:
    """Write the pages."""
    for file, text in pages(DOCS).items():
        file.write_text(text, encoding="utf-8")


def pages(docs: Path) -> dict[Path, str]:
    """The text of each page that is drawn from results.

    Args:
        docs: The folder of the pages, with a folder ``benchmarks``.
    """
    machines = [json.loads(file.read_text(encoding="utf-8")) for file in sorted((docs / "benchmarks").glob("*.json"))]
    before, _, rest = (docs / "gpu.md").read_text(encoding="utf-8").partition(BEGIN)
    gpu = "\n".join([before + BEGIN, "", *of_machines(machines, gpu=True), END + rest.partition(END)[2]])
    return {docs / "benchmarks.md": "\n".join([HEAD, *of_machines(machines)]).rstrip() + "\n", docs / "gpu.md": gpu}


def of_machines(machines: Iterable[dict[str, Any]], gpu: bool = False) -> Iterable[str]:
    """Lines on each machine: those of the check of GPUs, or all others."""
    for each in machines:
        results = [result for result in each["results"] if (GPU in result["command"]) == gpu]
        if results:
            yield from [f"{'###' if gpu else '##'} {title(each['machine'])}", ""]
        for result in results:
            yield from of_result(result)


def title(machine: dict[str, Any]) -> str:
    """Processor, cores and card, as far as they are known."""
    cores = f"{machine['cores']} cores" if machine["cores"] else ""
    return ", ".join(each for each in (machine["card"], machine["processor"], cores) if each)


def of_result(result: dict[str, Any]) -> Iterable[str]:
    """The command with its circumstances, and a table of its figures."""
    versions = ", ".join(f"{name} {number}" for name, number in result["versions"].items())
    yield from [f"`{result['command']}`", "", f"{result['date']}, commit {result['commit']}; {versions}.", ""]
    yield from ["| what | figure | range | n |", "| --- | ---: | ---: | ---: |"]
    for row in result["rows"]:
        spread = f"{row['min']:.4g} to {row['max']:.4g}" if row["n"] > 1 else ""
        yield f"| {row['name'].replace('|', '/')} | {row['figure']:.4g} {row['unit']} | {spread} | {row['n']} |"
    yield ""


if __name__ == "__main__":
    main()
