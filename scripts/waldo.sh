#!/usr/bin/env bash
# Which wiring finds a pattern that may be anywhere?
# Result: the head of conf/study/waldo.yaml. Start it again after an interruption: finished runs are kept.
#   scripts/waldo.sh [more settings, such as seed=0 or hydra.launcher.processes=1]
set -euo pipefail
cd "$(dirname "$0")/.."
PATH="$PWD/.venv/bin:$PATH"
exec convexp-train study=waldo "$@"
