#!/usr/bin/env bash
# How many images of MNIST does each wiring need?
# Result: the head of conf/study/sample_efficiency.yaml. Start it again after an interruption: finished runs are kept.
#   scripts/sample_efficiency.sh [more settings, such as seed=0 or hydra.launcher.processes=1]
set -euo pipefail
cd "$(dirname "$0")/.."
PATH="$PWD/.venv/bin:$PATH"
exec convexp-train study=sample_efficiency "$@"
