"""What it saves that memory which tensors have freed is kept (`convexp.machine.heap`), and what it costs.

    python scripts/bench_heap.py --rounds 5

Each round trains two convolutions of 64 channels on random images of 32 x 32 pixels in batches of 128, whose activations have
32 MiB, in two fresh processes with one thread: with freed memory kept, as programs of convexp do, and with the C library's own
thresholds. Printed are the CPU milliseconds of a training step, its page faults, and the peak memory of the process in MiB, and
the ratios, taken round by round; medians and ranges.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from statistics import median

import torch
from results import figures, ratios, store
from torch import nn
from torch.nn import functional as F

from convexp.machine.heap import keep_freed

CHANNELS, BATCH, SIZE = 64, 128, 32
STEPS = 8


def work() -> dict[str, float]:
    """Train, and return what a step has taken, and the peak memory."""
    torch.set_num_threads(1)
    layers = [nn.Conv2d(3, CHANNELS, 3, padding=1), nn.ReLU(), nn.Conv2d(CHANNELS, CHANNELS, 3, 2, 1), nn.ReLU()]
    network = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(CHANNELS, 10))
    optimizer = torch.optim.Adam(network.parameters(), fused=True)
    images, labels = torch.randn(BATCH, 3, SIZE, SIZE), torch.randint(10, (BATCH,))
    taken: list[tuple[float, int]] = []
    for _ in range(STEPS + 2):
        start, faults = time.thread_time(), resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        loss = F.cross_entropy(network(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        taken.append((time.thread_time() - start, resource.getrusage(resource.RUSAGE_SELF).ru_minflt - faults))
    seconds, faults = (median(each[index] for each in taken[2:]) for index in (0, 1))  # the first ones find no memory
    return {"ms": 1e3 * seconds, "faults": faults, "MiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def in_a_process(mode: str) -> dict[str, float]:
    """What ``work`` returns in a fresh process."""
    done = subprocess.run([sys.executable, __file__, "--work", mode], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def main() -> None:
    """Print the figures, and write what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds (default 5)")
    parser.add_argument("--work", choices=["kept", "default"], help=argparse.SUPPRESS)  # what a process of its own does
    given = parser.parse_args()
    if given.work:
        if given.work == "kept":
            keep_freed()
        print(json.dumps(work()))
        return
    rounds = [{mode: in_a_process(mode) for mode in ("kept", "default")} for _ in range(given.rounds)]
    measured = []
    for unit in ("ms", "faults", "MiB"):
        found = {mode: [each[mode][unit] for each in rounds] for mode in ("kept", "default")}
        of_unit = [*figures(found, unit), *ratios(found, "default", f"{unit}: ")]
        for each in of_unit:
            print(f"{each.name:24} {each.figure:9.4g} {each.unit} ({each.min:.4g} to {each.max:.4g}, n = {each.n})", flush=True)
        measured += of_unit
    store(__file__, measured)


if __name__ == "__main__":
    main()
