#!/usr/bin/env bash
# What does the border tell a convolution about where things are? Five kinds of border.
# Result: the head of conf/study/border.yaml. Start it again after an interruption: finished runs are kept.
#   scripts/border.sh [more settings, such as seed=0 or hydra.launcher.processes=1]
set -euo pipefail
cd "$(dirname "$0")/.."
PATH="$PWD/.venv/bin:$PATH"
exec convexp-train study=border "$@"
