#!/bin/sh
# Training and inference speed of the Tiny Recursive Model: Pintle beside PyTorch (Debian's python3-torch, tuned), same shapes,
# runs taken in turn on this machine.
#   benchmarks/peers/trm_torch.sh [PINTLE [ROUNDS [SHAPE ...]]]
# PINTLE is the program (default build/release/pintle). Needs: apt-get install python3-torch libopenblas0-pthread.
# OPENBLAS_CORETYPE and OMP_WAIT_POLICY: see train_torch.sh.
set -eu
here=$(dirname "$0")
pintle=${1:-$here/../../build/release/pintle}
rounds=${2:-2}
[ $# -gt 2 ] && shift 2 || set -- sudoku4-d128 sudoku9-d128 sudoku9-d512
python=/usr/bin/python3
"$python" -c 'import torch' 2>/dev/null || { echo "error: python3-torch is not installed" >&2; exit 3; }

show() {  # who, JSON
  printf '%s' "$2" | "$python" -c '
import json, sys
r = json.load(sys.stdin)
r = r["shapes"][0] if "shapes" in r else r
print("%-7s %-20s %-5s %8.1f samples/s  best %8.1f  per processor second %8.1f  16 steps %6.3f s  loss %.3f -> %.3f" % (
    sys.argv[1], r["shape"], r["dtype"], r["samples_per_s"], r["best_samples_per_s"], r["samples_per_cpu_s"],
    r["solve_seconds"], r["first_loss"], r["last_loss"]))' "$1"
}
torch() {
  OPENBLAS_CORETYPE=SkylakeX OMP_WAIT_POLICY=passive OMP_NUM_THREADS=2 OPENBLAS_NUM_THREADS=2 \
    "$python" "$here/trm_torch.py" --shape "$1" --dtype "$2"
}

echo "one supervision step of every slot, forward, backward, update; median and best of five; $(nproc) processors"
round=1
while [ "$round" -le "$rounds" ]; do
  echo "round $round"
  for shape in "$@"; do
    show pintle "$("$pintle" trm bench --shape "$shape" --threads 2 --json)"
    show torch "$(torch "$shape" fp32)"
    show pintle "$("$pintle" trm bench --shape "$shape-bf16" --threads 2 --json)"
    show torch "$(torch "$shape" bf16)"
    case $shape in
      *-d128) show pintle "$("$pintle" trm bench --shape "own-$shape-bf16" --threads 2 --json)" ;;
    esac
  done
  round=$((round + 1))
done
