#!/usr/bin/env bash
# What do parameters, FLOPs and memory cost as the image grows to a megapixel? Nothing is trained.
# Result: the head of conf/study/image_size.yaml. Start it again after an interruption: finished runs are kept.
#   scripts/image_size.sh [more settings, such as seed=0 or hydra.launcher.processes=1]
set -euo pipefail
cd "$(dirname "$0")/.."
PATH="$PWD/.venv/bin:$PATH"
exec convexp-train study=image_size "$@"
