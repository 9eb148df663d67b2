#!/usr/bin/env bash
# How local should a layer be? Kernels from a pixel to more than the image, shared and not.
# Result: the head of conf/study/kernel_size.yaml. Start it again after an interruption: finished runs are kept.
#   scripts/kernel_size.sh [more settings, such as seed=0 or hydra.launcher.processes=1]
set -euo pipefail
cd "$(dirname "$0")/.."
PATH="$PWD/.venv/bin:$PATH"
exec convexp-train study=kernel_size "$@"
