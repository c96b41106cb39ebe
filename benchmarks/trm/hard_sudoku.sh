#!/usr/bin/env bash
# The long run for the hardest 9x9 puzzles: trains on the train splits of CSV files (header puzzle,solution) and on generated
# puzzles, then reports exact answers on each file's test split at depth 16, 64 and with samples. Stop it when you like: the
# same command goes on. Twins by symmetry lie in one split and count once, whatever file they stand in.
#   benchmarks/trm/hard_sudoku.sh OUT FILE.csv..              all of it
#   MINUTES=240 benchmarks/trm/hard_sudoku.sh OUT FILE.csv..  by the clock
#   MODEL=models/sudoku9 benchmarks/trm/hard_sudoku.sh OUT FILE.csv..   measures another model and trains nothing
# LIMIT=N measures the first N puzzles of each test split, SAMPLES=K says how many answers a puzzle gets (16).
set -euo pipefail
project=$(cd "$(dirname "$0")/../.." && pwd)
pintle=${PINTLE:-$project/build/release/pintle}
[ $# -ge 2 ] || { sed -n '2,8s/^# \?//p' "$0"; exit 1; }
out=$1
shift
samples=${SAMPLES:-16}
mkdir -p "$out"
files=()
for file; do files+=(--data "$file"); done

model=${MODEL:-}
if [ -z "$model" ]; then
  "$pintle" trm tasks sudoku9 "${files[@]}" --split train >"$out/train.csv.new"
  mv "$out/train.csv.new" "$out/train.csv"
  "$pintle" trm train --config "$project/configs/trm/sudoku9_hard.toml" --data "$out/train.csv" --out "$out/run" \
    ${MINUTES:+--minutes "$MINUTES"}
  model=$out/run/model
  [ -d "$model" ] || exit 0 # stopped; the same command goes on
fi

# A puzzle that stands in several files is tested in the first.
seen=()
for file; do
  "$pintle" trm tasks sudoku9 "${seen[@]}" --data "$file" --split test 2>/dev/null >"$out/all.csv"
  before=1
  if [ ${#seen[@]} -gt 0 ]; then before=$("$pintle" trm tasks sudoku9 "${seen[@]}" --split test 2>/dev/null | wc -l); fi
  awk -v before="$before" -v limit="${LIMIT:-1000000}" 'NR == 1 || (NR > before && NR <= before + limit)' "$out/all.csv" >"$out/test.csv"
  seen+=(--data "$file")
  [ "$(wc -l <"$out/test.csv")" -gt 1 ] || continue
  # The curve of one evaluation tells depth 16 and depth 64.
  "$pintle" trm eval --model "$model" --data "$out/test.csv" --split test --depth 64 --json >"$out/result.json"
  count=$(sed -E 's/^[^,]*,"count":([0-9]+),.*/\1/' "$out/result.json")
  for depth in 16 64; do
    exact=$(sed -E 's/.*"depth":'$depth',"exact":([^,]+),"cells".*\]\}$/\1/' "$out/result.json")
    echo "$(basename "$file"), depth $depth: exact $exact of $count"
  done
  "$pintle" trm eval --model "$model" --data "$out/test.csv" --split test --samples "$samples" --json >"$out/result.json"
  exact=$(sed -E 's/^.*,"samples":[0-9]+,"exact":([^,]+),.*/\1/' "$out/result.json")
  echo "$(basename "$file"), depth 16, best of $samples: exact $exact of $count"
done
