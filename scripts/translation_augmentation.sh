#!/usr/bin/env bash
# Does seeing shifted images in training replace sharing? Add data.train_size=null for all images of MNIST.
# Result: the head of conf/study/translation_augmentation.yaml. Start it again after an interruption: finished runs are kept.
#   scripts/translation_augmentation.sh [more settings, such as seed=0 or hydra.launcher.processes=1]
set -euo pipefail
cd "$(dirname "$0")/.."
PATH="$PWD/.venv/bin:$PATH"
exec convexp-train study=translation_augmentation "$@"
