#!/usr/bin/env bash
# How much a recursive model owes to its seed: trains a task with its preset from several seeds and prints, for 2,000 unseen
# puzzles, the exact answers at the preset's depth and with the halting head's stop, and the seconds; then mean and spread. A run
# that is there already is not made again, and one that was stopped goes on.
#   benchmarks/trm/seeds.sh OUT TASK..            seeds 0, 1 and 2
#   SEEDS="3 4" benchmarks/trm/seeds.sh OUT TASK..
# STEPS=N trains shorter (in an OUT of its own), PUZZLES=N tests on fewer.
set -euo pipefail
project=$(cd "$(dirname "$0")/../.." && pwd)
pintle=${PINTLE:-$project/build/release/pintle}
[ $# -ge 2 ] || { sed -n '2,7s/^# \?//p' "$0"; exit 1; }
out=$1
shift
puzzles=${PUZZLES:-2000}
mkdir -p "$out"
number() { sed -E "s/^[^[]*\"$1\":([0-9.e+-]+).*$/\1/" "$2"; }

for task; do
  : >"$out/$task.tsv"
  for seed in ${SEEDS:-0 1 2}; do
    run=$out/$task-$seed
    if [ ! -s "$run.json" ]; then
      "$pintle" trm train --task "$task" --seed "$seed" --out "$run" --json ${STEPS:+--steps "$STEPS"} >"$run.json.new"
      mv "$run.json.new" "$run.json"
    fi
    "$pintle" trm eval --model "$run/model" --generate "$puzzles" --json >"$run.eval.json"
    printf '%s\t%s\t%s\t%s\n' "$seed" "$(number exact "$run.eval.json")" "$(number early_stop_exact "$run.eval.json")" \
      "$(number seconds "$run.json")" >>"$out/$task.tsv"
  done
  awk -F'\t' -v task="$task" -v puzzles="$puzzles" '
    { printf "%s, seed %s: exact %.2f %% of %d, with early stop %.2f %%, trained in %.0f s\n", task, $1, 100 * $2, puzzles, 100 * $3, $4
      for (i = 2; i <= 3; i++) { sum[i] += $i; if (NR == 1 || $i < low[i]) low[i] = $i; if (NR == 1 || $i > high[i]) high[i] = $i } }
    END { printf "%s, %d seeds: mean %.2f %% (%.2f to %.2f), with early stop %.2f %% (%.2f to %.2f)\n", task, NR,
          100 * sum[2] / NR, 100 * low[2], 100 * high[2], 100 * sum[3] / NR, 100 * low[3], 100 * high[3] }' "$out/$task.tsv"
done
