#!/usr/bin/env bash
# Do several runs share a GPU? For a machine with at least one, in the root of a checkout; takes about a minute.
#
#   bash scripts/check_gpu_packing.sh            # PYTHON=... for another Python
#
# Six tiny runs one after another on each GPU, and three at a time on each: all have to finish, with the same test accuracies to 2
# points, each seeing one GPU and its part of the cores. Prints how long each sweep took and what each run saw.
set -euo pipefail
python=${PYTHON:-python}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
nvidia-smi -L
for runs in 1 3; do
  start=$SECONDS
  PYTHONPATH="tests/support${PYTHONPATH:+:$PYTHONPATH}" CONVEXP_TRUST=own_callbacks "$python" -m convexp.cli.train -m \
    trainer=gpu trainer.max_epochs=5 probes=none model=conv,local seed=0,1,2 "hydra.launcher.runs_per_gpu=$runs" \
    "hydra.sweep.dir=$folder/$runs" '+callbacks.own={_target_:own_callbacks.Environment}'
  echo "runs_per_gpu=$runs: $((SECONDS - start)) s"
done
"$python" - "$folder" <<'PYTHON'
import json
import sys
from pathlib import Path

accuracies = {}
for runs in ("1", "3"):
    for file in sorted(Path(sys.argv[1], runs).glob("*/result.json")):
        record = json.loads(file.read_text())
        seen = json.loads((file.parent / "environment.json").read_text())
        print(f"runs_per_gpu={runs} {file.parent.name}: {record['state']}, {record['hardware']['accelerator']}, {seen}")
        assert record["state"] == "finished", record["error"]
        assert record["hardware"]["accelerator"] == "CUDAAccelerator"
        accuracies.setdefault(file.parent.name, []).append(record["metrics"]["test/acc"])
        if runs == "3":
            assert seen["CUDA_VISIBLE_DEVICES"].count(",") == 0
            assert seen["CONVEXP_ENGINE"] == "processes"
assert len(accuracies) == 6, accuracies
assert all(abs(a - b) < 0.02 for a, b in accuracies.values()), accuracies
print("all finished; test accuracies:", accuracies)
PYTHON
