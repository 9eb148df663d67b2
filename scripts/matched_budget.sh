#!/usr/bin/env bash
# Who wins at the same number of units, of parameters, of FLOPs?
# Result: the head of conf/study/matched_budget.yaml. Start it again after an interruption: finished runs are kept.
#   scripts/matched_budget.sh [more settings, such as seed=0 or hydra.launcher.processes=1]
set -euo pipefail
cd "$(dirname "$0")/.."
PATH="$PWD/.venv/bin:$PATH"
exec convexp-train study=matched_budget "$@"
