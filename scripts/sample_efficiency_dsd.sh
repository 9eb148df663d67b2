#!/usr/bin/env bash
# How does the number of samples that a wiring needs grow with the number of places of the signal? Ends with the samples that are
# needed for 75 %, and the exponents of their growth beside those of the theory.
# Result: the head of conf/study/sample_efficiency_dsd.yaml. Start it again after an interruption: finished runs are kept.
#   scripts/sample_efficiency_dsd.sh [more settings, such as seed=0 or hydra.launcher.processes=1]
set -euo pipefail
cd "$(dirname "$0")/.."
PATH="$PWD/.venv/bin:$PATH"
convexp-train study=sample_efficiency_dsd "$@"
python scripts/samples_needed.py outputs/studies/sample_efficiency_dsd
