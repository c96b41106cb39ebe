#!/usr/bin/env bash
# Checkpoints of the published code by the command line: a .pt becomes a model folder, a folder is exported and comes back
# with the same weights; errors.
. "$(dirname "$0")/lib.sh"
tiny=$project/src/models/trm/testdata/tiny.pt

for verb in import export; do
  expect 0 "$pintle" trm $verb --help
  prints "Usage:"
done

# A .pt: the shapes tell all but the prefix and the depth. Twice is the same.
expect 0 "$pintle" trm import "$tiny" --out "$scratch/tiny" --prefix 1 --h-cycles 2 --l-cycles 2 --json
prints '"cells":8'
prints '"width":16'
weights=$(json weights)
[ "$(sha256sum "$scratch/tiny/model.safetensors" | cut -d' ' -f1)" = "$weights" ] || fail "another hash than that of the file"
expect 0 "$pintle" trm import "$tiny" --out "$scratch/tiny" --prefix 1
prints "8 cells"
expect 0 "$pintle" trm eval --model "$scratch/tiny" --task copy --set task.length=4 --set task.alphabet=3 --generate 4 --depth 2
expect 1 "$pintle" trm eval --model "$scratch/tiny" --generate 4
says "give --task NAME"

expect 0 "$pintle" trm import "$tiny" --out "$scratch/plan" --prefix 1 --dry-run
expect 0 "$pintle" trm export --model "$scratch/tiny" --out "$scratch/plan" --dry-run
[ ! -e "$scratch/plan" ] || fail "--dry-run wrote something"

# Out and in again: the same weights, with the reference's names on the way.
expect 0 "$pintle" trm export --model "$scratch/tiny" --out "$scratch/tiny.safetensors"
grep -aq '"model.inner.L_level.layers.1.mlp_t.down_proj.weight"' "$scratch/tiny.safetensors" || fail "not the reference's names"
expect 0 "$pintle" trm import "$scratch/tiny.safetensors" --out "$scratch/again" --prefix 1 --json
[ "$(json weights)" = "$weights" ] || fail "export and import change the weights"

# A shipped model comes back as good as it was.
expect 0 "$pintle" trm export --model "$project/models/sudoku4" --out "$scratch/s.safetensors"
expect 0 "$pintle" trm import "$scratch/s.safetensors" --out "$scratch/s" --prefix 1 --h-cycles 2 --l-cycles 2
figures() { sed -E 's/"seconds_per_puzzle":[^,]*//' "$scratch/out"; }
expect 0 "$pintle" trm eval --model "$project/models/sudoku4" --generate 20 --depth 4 --json
figures >"$scratch/before"
expect 0 "$pintle" trm eval --model "$scratch/s" --task sudoku4 --set task.givens_low=4 --set task.givens_high=8 --generate 20 --depth 4 --json
figures | cmp - "$scratch/before" || fail "an imported model answers otherwise"

# What cannot be.
expect 2 "$pintle" trm import "$tiny" --out "$scratch/x"
says "cells = -7"
expect 4 "$pintle" trm import "$tiny" --out "$scratch/x" --prefix 1 --cells 9
says "another shape"
head -c 20000 "$tiny" >"$scratch/cut.pt"
expect 4 "$pintle" trm import "$scratch/cut.pt" --out "$scratch/x" --prefix 1
echo "no checkpoint" >"$scratch/text.pt"
expect 4 "$pintle" trm import "$scratch/text.pt" --out "$scratch/x"
says "zip"
expect 4 "$pintle" trm import "$project/src/formats/testdata/fuzz_torch_pickle/evil.pt" --out "$scratch/x"
says "which is no tensor"
expect 4 "$pintle" trm import "$project/src/formats/testdata/fuzz_torch_pickle/ordered.pt" --out "$scratch/x"
says "no Tiny Recursive Model"
expect 3 "$pintle" trm import "$scratch/nowhere.pt" --out "$scratch/x"
expect 3 "$pintle" trm export --model "$scratch/nowhere" --out "$scratch/y.safetensors"
expect 1 "$pintle" trm export --model "$scratch/tiny"
[ ! -e "$scratch/x" ] && [ ! -e "$scratch/y.safetensors" ] || fail "an error left something behind"
