#!/usr/bin/env bash
# How much sharing is best, between one kernel for all locations and one for each?
# Result: the head of conf/study/low_rank.yaml. Start it again after an interruption: finished runs are kept.
#   scripts/low_rank.sh [more settings, such as seed=0 or hydra.launcher.processes=1]
set -euo pipefail
cd "$(dirname "$0")/.."
PATH="$PWD/.venv/bin:$PATH"
exec convexp-train study=low_rank "$@"
