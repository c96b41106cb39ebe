#!/usr/bin/env bash
# Resident memory stays flat within 1 % over 2,000 steps, validations, samples and checkpoints included.
. "$(dirname "$0")/lib.sh"
expect 0 "$pintle" m31r run --preset demo --source "$project/src/corpus/testdata/mini" --work "$scratch/work" --json \
  --set tokenizer.vocab_size=600 --set train.steps=2300 --set train.batch=2 --set train.time=64 --set train.eval_batches=2 \
  --set train.eval_interval=100 --set train.sample_interval=100 --set train.sample_tokens=16 --set train.checkpoint_interval=250
# The first 300 steps may touch a last buffer of 1 MB, which is 2 % of so small a model.
sed -nE 's/.*"type":"step","step":([0-9]+),.*"rss_bytes":([0-9]+).*/\1 \2/p' "$scratch/work/run/run.jsonl" | awk '
  $1 > 300 { if (!low || $2 < low) low = $2; if ($2 > high) high = $2; ++steps }
  END {
    printf "%d steps, %d to %d bytes\n", steps, low, high
    exit !(steps >= 2000 && high <= 1.01 * low)
  }' || fail "resident memory is not flat"
