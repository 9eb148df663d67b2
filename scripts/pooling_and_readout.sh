#!/usr/bin/env bash
# What turns equivariance into invariance? Three readouts, each with strides, pooling or neither.
# Result: the head of conf/study/pooling_and_readout.yaml. Start it again after an interruption: finished runs are kept.
#   scripts/pooling_and_readout.sh [more settings, such as seed=0 or hydra.launcher.processes=1]
set -euo pipefail
cd "$(dirname "$0")/.."
PATH="$PWD/.venv/bin:$PATH"
exec convexp-train study=pooling_and_readout "$@"
