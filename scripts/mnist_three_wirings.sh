#!/usr/bin/env bash
# The MNIST table in the README: dense, local and conv with the default settings, 5 epochs, 3 seeds each.
# 12 minutes on two CPU cores (n = 1). Start it again after an interruption: finished runs are kept.
#   scripts/mnist_three_wirings.sh [more overrides]
set -euo pipefail
cd "$(dirname "$0")/.."
PATH="$PWD/.venv/bin:$PATH"
exec convexp-train -m model=dense,local,conv data=mnist seed=0,1,2 \
    hydra.sweep.dir=outputs/sweeps/mnist_three_wirings hydra.sweep.subdir='${name}' "$@"
