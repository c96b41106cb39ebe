#!/bin/sh
# Training speed of Pintle beside PyTorch (Debian's python3-torch, tuned), same shapes, runs taken in turn on this machine.
#   benchmarks/peers/train_torch.sh [PINTLE [PRESET [ROUNDS]]]
# PINTLE is the program (default build/release/pintle). Needs: apt-get install python3-torch libopenblas0-pthread.
# OPENBLAS_CORETYPE=SkylakeX: OpenBLAS 0.3.21 otherwise takes its AVX2 kernels on CPUs newer than itself.
# OMP_WAIT_POLICY=passive: spinning OpenMP threads collapse as soon as anything else runs.
set -eu
here=$(dirname "$0")
pintle=${1:-$here/../../build/release/pintle}
preset=${2:-m31r-6m}
rounds=${3:-2}
python=/usr/bin/python3
"$python" -c 'import torch' 2>/dev/null || { echo "error: python3-torch is not installed" >&2; exit 3; }

ours() { "$pintle" bench train --preset "$preset" --dtype "$1" --steps 6 --threads "$2" --json; }
torch() {
  OPENBLAS_CORETYPE=SkylakeX OMP_WAIT_POLICY=passive OMP_NUM_THREADS=$2 OPENBLAS_NUM_THREADS=$2 \
    "$python" "$here/train_torch.py" --preset "$preset" --dtype "$1" --steps 6 --threads "$2"
}
show() {  # who, threads, JSON
  printf '%s' "$3" | "$python" -c '
import json, sys
r = json.load(sys.stdin)
print("%-7s %-5s %s threads  %7.0f tokens/s  best step %7.0f  per processor second %6.0f  loss %.3f -> %.3f" % (
    sys.argv[1], r["dtype"], sys.argv[2], r["tokens_per_s"], r["best_tokens_per_s"], r["tokens_per_cpu_s"],
    r["first_loss"], r["last_loss"]))' "$1" "$2"
}

echo "$preset, 4 x 512 tokens a step, AdamW; median and best of six steps; $(nproc) processors"
round=1
while [ "$round" -le "$rounds" ]; do
  echo "round $round"
  for threads in 2 1; do
    show pintle $threads "$(ours fp32 $threads)"
    show torch $threads "$(torch fp32 $threads)"
    show pintle $threads "$(ours bf16 $threads)"
  done
  show torch 2 "$(torch bf16 2)"
  round=$((round + 1))
done
