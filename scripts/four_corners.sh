#!/usr/bin/env bash
# What does locality buy, and what does sharing? Dense, local, global_conv and conv on 2,000 MNIST digits.
# Result: the head of conf/study/four_corners.yaml. Start it again after an interruption: finished runs are kept.
#   scripts/four_corners.sh [more settings, such as seed=0 or hydra.launcher.processes=1]
set -euo pipefail
cd "$(dirname "$0")/.."
PATH="$PWD/.venv/bin:$PATH"
exec convexp-train study=four_corners "$@"
