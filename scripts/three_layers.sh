#!/usr/bin/env bash
# Dense, local and conv at the same number of hidden units, on the embedded digits: what make demo runs.
# Result: the head of conf/study/three_layers.yaml. Start it again after an interruption: finished runs are kept.
#   scripts/three_layers.sh [more settings, such as seed=0 or hydra.launcher.processes=1]
set -euo pipefail
cd "$(dirname "$0")/.."
PATH="$PWD/.venv/bin:$PATH"
exec convexp-train study=three_layers "$@"
