#!/usr/bin/env bash
# Is a convolution more tolerant of shifts than a locally connected layer? Ott et al. 2020 on real MNIST: conv and local with a
# flattened readout, and conv with global average pooling, without shifts in training and with shifts of up to 20 % of the size.
# 18 runs; 65 minutes on one busy CPU core (n = 1). Start it again after an interruption: finished runs are kept.
#   scripts/ott_shifts.sh [more overrides]
set -euo pipefail
cd "$(dirname "$0")/.."
PATH="$PWD/.venv/bin:$PATH"
run() {
    convexp-train -m experiment=ott_mnist data.shift.train=0,0.2 seed=0,1,2 hydra.sweep.dir=outputs/sweeps/ott_shifts \
        hydra.sweep.subdir='${model.name}-${model.readout}-shift${data.shift.train}-seed${seed}' "$@"
}
run model=conv,local "$@"
run model=conv model.readout=global_avg "$@"
