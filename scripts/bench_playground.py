"""How fast a page runs networks, in Chromium, and what writing them costs a run in time and bytes.

    python scripts/bench_playground.py [--frames 100] [--pages 10] [--exports 20]

A frame is one image, through every network of a set, as the playground shows them side by side. The sets: the networks of
study=three_layers (digits), and networks for MNIST, of which the dense one is narrow enough for the limit of a page. They are
untrained, which does not change the time. Each page starts anew, so that its first frames are those of a script that has not
been compiled yet; frames are timed one by one. Writing is timed as CPU time of the process. Means with 95 % intervals.
"""

import argparse
import json
import math
import shutil
import tempfile
import time
from pathlib import Path
from statistics import mean, median, stdev
from typing import Any

import torch
from playwright.sync_api import Browser, sync_playwright
from results import Figure, figure, store
from scipy.stats import t as student

from convexp.config.compose import compose_config
from convexp.execution import build
from convexp.execution.playground import export_playground
from convexp.records.playground import FILE

SCRIPT = Path(__file__).parent.parent / "convexp" / "reporting" / "render" / "html" / "playground" / "network.js"
SETS = {
    "three_layers": {model: (f"model={model}",) for model in ("dense", "local", "conv")},
    "MNIST": {
        "dense": ("model=dense", "data=mnist", "model.width=0.25"),
        "local": ("model=local", "data=mnist"),
        "conv": ("model=conv", "data=mnist"),
        "low_rank_local": ("model=low_rank_local", "data=mnist"),
        "global_conv": ("model=global_conv", "data=mnist"),
    },
}
TIME = """([texts, frames]) => {
  const networks = texts.map((text) => new Network(JSON.parse(text)));
  const { channels, height, width } = networks[0].input;
  const times = [];
  for (let frame = 0; frame < frames; frame++) {
    const pixels = Uint8Array.from({ length: channels * height * width }, (_, p) => (p * 7 + frame * 13) % 256);
    times.push(networks.map((network) => {
      const start = performance.now();
      network.forward(pixels);
      return performance.now() - start;
    }));
  }
  return times;
}"""


def interval(values: list[float]) -> str:
    """The mean with its 95 % interval by Student's t."""
    n = len(values)
    half = student.ppf(0.975, n - 1) * stdev(values) / math.sqrt(n) if n > 1 else math.inf
    return f"{mean(values):.3g} ({mean(values) - half:.3g}..{mean(values) + half:.3g}, n = {n})"


def written(overrides: tuple[str, ...], exports: int, folder: Path) -> tuple[str, list[float]]:
    """The file of an untrained network, and the CPU time of writing it, in ms."""
    config = compose_config(*overrides)
    torch.manual_seed(0)
    data = build.dataset(config)
    network = build.network(config, data)
    times: list[float] = []
    for _ in range(exports + 1):  # the first one warms up
        start = time.process_time()
        said = export_playground(network, data, config, folder)
        times.append(1000 * (time.process_time() - start))
    text = (folder / FILE).read_text()
    if "left_out" in json.loads(text):
        raise SystemExit(f"{' '.join(overrides)}: {said}")
    return text, times[1:]


def frames_of(browser: Browser, texts: list[str], frames: int) -> list[list[float]]:
    """Milliseconds of each frame and network, in a page that has just been opened."""
    page = browser.new_page()
    page.set_content("<title>bench</title>")
    page.add_script_tag(content=SCRIPT.read_text(encoding="utf-8"))
    found: list[list[float]] = page.evaluate(TIME, [texts, frames])
    page.close()
    return found


def report(name: str, models: dict[str, Any], pages: list[list[list[float]]]) -> list[Figure]:
    """Print what a set came to: medians over the frames of each page."""
    measured: list[Figure] = []
    for number, model in enumerate(models):
        frame = [median(f[number] for f in frames) for frames in pages]
        print(f"  {model:15} {interval(frame)} ms a frame")
        measured.append(figure(f"{name}, {model}", frame, "ms a frame"))
    rates = [1000 / median(sum(f) for f in frames) for frames in pages]
    slowest = [max(sum(f) for f in frames) for frames in pages]
    print(f"  all of {name}: {interval(rates)} frames a second; the slowest frame of a page {interval(slowest)} ms")
    return [*measured, figure(f"all of {name}", rates, "frames a second"), figure(f"{name}, slowest frame", slowest, "ms")]


def main() -> None:
    """Measure all sets."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=100, help="frames in a page (default 100)")
    parser.add_argument("--pages", type=int, default=10, help="pages (default 10)")
    parser.add_argument("--exports", type=int, default=20, help="files written for each network (default 20)")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS), help="which sets (default all)")
    arguments = parser.parse_args()
    measured: list[Figure] = []
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    torch.set_num_threads(1)
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        for name in arguments.sets:
            print(name)
            texts: list[str] = []
            for model, overrides in SETS[name].items():
                text, times = written(overrides, arguments.exports, Path(folder))
                texts.append(text)
                measured.append(figure(f"{name}, {model}, writing", times, "ms of CPU time"))
                print(f"  {model:15} {len(text):>9,} bytes, written in {interval(times)} ms")
            pages = [frames_of(browser, texts, arguments.frames) for _ in range(arguments.pages)]
            measured += report(name, SETS[name], pages)
        browser.close()
    store(__file__, measured)


if __name__ == "__main__":
    main()
