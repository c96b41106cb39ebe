#!/usr/bin/env bash
# Puzzles by the command line: training that gives one hash for any number of threads, stops and goes on; evaluation, solving,
# traces and pictures of what it made; the errors of damaged models, impossible puzzles and wrong input.
. "$(dirname "$0")/lib.sh"
small=(--task sudoku4 --seed 5 --json --set trm.network.width=32 --set trm.train.batch=8 --set trm.train.eval_interval=0
  --set trm.train.final_puzzles=16 --set trm.train.warmup_steps=4 --set trm.train.cooldown_steps=8
  --set trm.train.checkpoint_interval=8 --set trm.train.shallow_steps=10)
train() { "$pintle" trm train "${small[@]}" "$@"; }

for verb in tasks train eval solve bench parity; do
  expect 0 "$pintle" trm $verb --help
  prints "Usage:"
done
for preset in "$project"/configs/trm/*.toml "$project"/configs/trm/presets/*.toml; do
  expect 0 "$pintle" config --config "$preset"
  prints "[trm.network]"
done

# One hash for 1, 2 and 3 threads; nothing to do the second time.
for threads in 1 2 3; do
  expect 0 train --out "$scratch/run$threads" --steps 40 --threads $threads
  weights[threads]=$(json weights)
done
[ ${#weights[1]} -eq 64 ] || fail "no weights hash"
[ "${weights[1]}" = "${weights[2]}" ] && [ "${weights[1]}" = "${weights[3]}" ] || fail "threads change the weights"
for key in exact cells baseline steps; do [ -n "$(json $key)" ] || fail "no $key"; done
expect 0 train --out "$scratch/run1" --steps 40
prints '"up_to_date":true'
[ "$(json weights)" = "${weights[1]}" ] || fail "a second run changed something"

# The card's settings make the same bytes again.
sed -n '/^```toml/,/^```$/p' "$scratch/run1/model/README.md" | sed '1d;$d' >"$scratch/settings.toml"
expect 0 "$pintle" trm train --config "$scratch/settings.toml" --out "$scratch/card" --json
[ "$(json weights)" = "${weights[1]}" ] || fail "the card's settings give other weights"
grep -q "${weights[1]}" "$scratch/card/model/README.md" || fail "the card names other weights"

# The shipped models: whole, and as good as their cards say.
for name in pattern sudoku4 sudoku6 sudoku9 maze10; do
  shipped=$project/models/$name
  grep -q "$(sha256sum "$shipped/model.safetensors" | cut -d' ' -f1)" "$shipped/README.md" || fail "$name is not the model of its card"
  expect 0 "$pintle" trm eval --model "$shipped" --generate 40 --early-stop --json
  awk -v exact="$(json exact)" 'BEGIN { exit !(exact > 0.9) }' || fail "$name solves $(json exact)"
done

expect 0 "$pintle" trm eval --model "$project/models/maze10" --task maze20 --generate 10 --depth 32 --json
prints '"task":"maze20","count":10'
awk -v cells="$(json cells)" 'BEGIN { exit !(cells > 0.9) }' || fail "maze10 has $(json cells) of the cells of larger mazes"

# The script of the long run, measuring a shipped model.
"$pintle" trm tasks sudoku9 --generate 2 --split test >"$scratch/nine.csv"
expect 0 env PINTLE="$pintle" MODEL="$project/models/sudoku9" LIMIT=1 SAMPLES=2 \
  "$project/benchmarks/trm/hard_sudoku.sh" "$scratch/hard" "$scratch/nine.csv"
prints "nine.csv, depth 64: exact"
prints "nine.csv, depth 16, best of 2: exact"

# The script that compares seeds.
expect 0 env PINTLE="$pintle" SEEDS="0 1" STEPS=3 PUZZLES=20 "$project/benchmarks/trm/seeds.sh" "$scratch/seeds" sudoku4
prints "sudoku4, seed 1: exact"
prints "sudoku4, 2 seeds: mean"

# A limit, Ctrl-C, a kill, and going on: the same bytes as without a stop.
expect 0 train --out "$scratch/stopped" --steps 40 --until-step 21
prints '"finished":false'
expect 0 train --out "$scratch/stopped" --steps 40
[ "$(json weights)" = "${weights[1]}" ] || fail "a limit and a second run give other weights"
expect 0 train --out "$scratch/long" --steps 400
wanted=$(json weights)
for signal in INT KILL; do
  rm -rf "$scratch/killed"
  train --out "$scratch/killed" --steps 400 >"$scratch/out" 2>"$scratch/err" &
  job=$!
  for _ in $(seq 600); do
    [ -d "$scratch/killed/checkpoints/step-00000016" ] && break
    sleep 0.02
  done
  kill -$signal "$(pgrep -P $job)" 2>/dev/null || kill -$signal $job
  wait $job || true
  expect 0 train --out "$scratch/killed" --steps 400 --threads 1
  [ "$(json weights)" = "$wanted" ] || fail "SIG$signal and a second run give other weights"
done
# By the clock: the steps it made, made again by their number, are the same model.
expect 0 train --out "$scratch/clock" --minutes 0.02
clock=$(json weights) steps=$(json steps)
expect 0 train --out "$scratch/again" --steps "$steps"
[ "$(json weights)" = "$clock" ] || fail "the same number of steps gives other weights than the clock did"

# Other settings beside an old run.
expect 2 train --out "$scratch/run1" --steps 40 --set trm.train.lr=0.01
says "--fresh"
expect 0 train --out "$scratch/run3" --steps 9 --set trm.train.lr=0.01 --fresh
expect 0 train --out "$scratch/plan" --steps 40 --dry-run
[ ! -e "$scratch/plan" ] || fail "--dry-run wrote something"

# Mazes that grow: a stop between two sizes does not show; a model with local mixing takes mazes of any size.
grow() {
  "$pintle" trm train "${small[@]/sudoku4/maze7}" --set trm.network.mixing=local --set trm.train.small_steps=12 --set trm.train.small_by=2 "$@"
}
expect 0 grow --out "$scratch/grown" --steps 20
wanted=$(json weights)
for step in 5 13; do
  expect 0 grow --out "$scratch/growing" --steps 20 --until-step $step --set trm.train.eval_interval=3
done
expect 0 grow --out "$scratch/growing" --steps 20 --threads 1
[ "$(json weights)" = "$wanted" ] || fail "stops while mazes grow give other weights"
expect 0 grow --out "$scratch/small" --steps 4
for model in grown small; do
  expect 0 "$pintle" trm eval --model "$scratch/$model/model" --generate 4 --depth 2 --json
  prints '"task":"maze7"'
done
expect 0 "$pintle" trm eval --model "$scratch/grown/model" --task maze9 --generate 4 --depth 2
expect 2 train --out "$scratch/x" --steps 2 --set trm.train.small_steps=12
says "local mixing"
expect 2 grow --out "$scratch/x" --steps 2 --set trm.train.small_by=3
says "write maze5 to maze40"

# Puzzles from a file.
expect 0 "$pintle" trm tasks sudoku4 --generate 40 --seed 3
cp "$scratch/out" "$scratch/puzzles.csv"
expect 0 train --out "$scratch/with-file" --steps 10 --data "$scratch/puzzles.csv"
[ "$(json weights)" != "${weights[1]}" ] || fail "the file made no difference"

# Evaluation.
model=$scratch/run1/model
expect 0 "$pintle" trm eval --model "$model" --generate 40 --depth 4 --json
for key in count exact cells mean_steps seconds_per_puzzle baseline curve halt; do prints "\"$key\""; done
sed -E 's/"seconds_per_puzzle":[^,]*//' "$scratch/out" >"$scratch/first"
expect 0 "$pintle" trm eval --model "$model" --generate 40 --depth 4 --json --threads 1 --batch 3
sed -E 's/"seconds_per_puzzle":[^,]*//' "$scratch/out" | cmp - "$scratch/first" || fail "threads or batch change an evaluation"
expect 0 "$pintle" trm eval --model "$model" --data "$scratch/puzzles.csv" --depth 2 --samples 3 --json
prints '"count":40'
expect 0 "$pintle" trm eval --model "$model" --data "$scratch/puzzles.csv" --depth 2 --early-stop
prints "confirmed"

# Solving.
puzzle=$(sed -n 2p "$scratch/puzzles.csv" | cut -d, -f1)
expect 0 "$pintle" trm solve --model "$model" --puzzle "$puzzle" --depth 3 --json --trace "$scratch/t.ndjson" --picture "$scratch/p.svg"
prints '"steps":3'
[ "$(grep -c '"type":"state"' "$scratch/t.ndjson")" -eq 18 ] || fail "the trace has not T (n + 1) states a step"
grep -q '"state":"z_L"' "$scratch/t.ndjson" && grep -q '"entropy"' "$scratch/t.ndjson" && grep -q '"content"' "$scratch/t.ndjson" ||
  fail "the trace lacks something"
head -c 4 "$scratch/p.svg" | grep -q '<' || fail "no picture"
for format in png gif; do
  expect 0 "$pintle" trm solve --model "$model" --puzzle "$puzzle" --picture "$scratch/p.$format"
  [ -s "$scratch/p.$format" ] || fail "no $format"
done
expect 0 "$pintle" trm solve --model "$model" --puzzle "$puzzle" --abstain --samples 4 --depth 2 --json
expect 0 "$pintle" trm solve --model "$model" --file "$scratch/puzzles.csv" --early-stop
got=0
echo "$puzzle" | "$pintle" trm solve --model "$model" --file - >"$scratch/out" 2>"$scratch/err" || got=$?
[ $got -eq 0 ] || fail "no puzzle from standard input"

# Puzzles that cannot be.
expect 4 "$pintle" trm solve --model "$model" --puzzle 11..............
says "no solution"
expect 4 "$pintle" trm solve --model "$model" --puzzle ................
says "several solutions"
expect 4 "$pintle" trm solve --model "$model" --puzzle 12
says "16 cells"
expect 4 "$pintle" trm solve --model "$model" --puzzle 12x4............
says "unknown symbol 'x'"
expect 1 "$pintle" trm solve --model "$model"
expect 1 "$pintle" trm solve --model "$model" --puzzle "$puzzle" --picture "$scratch/p.bmp"
expect 1 "$pintle" trm solve --model "$model" --file "$scratch/puzzles.csv" --trace "$scratch/t.ndjson"
expect 4 "$pintle" trm solve --model "$model" --puzzle "$puzzle" --depth 0
expect 4 "$pintle" trm solve --model "$model" --puzzle "$puzzle" --task sudoku9
says "the model has 16 cells"
printf 'puzzle,solution\n1\0\377,,\n' >"$scratch/bad.csv"
expect 4 "$pintle" trm eval --model "$model" --data "$scratch/bad.csv"
: >"$scratch/empty.csv"
expect 4 "$pintle" trm eval --model "$model" --data "$scratch/empty.csv"
expect 3 "$pintle" trm eval --model "$model" --data "$scratch/nowhere.csv"
expect 1 "$pintle" trm eval --model "$model"

# Settings that cannot be.
expect 2 "$pintle" trm train --task sudoku5 --out "$scratch/x" --steps 2
expect 1 "$pintle" trm train --preset huge --out "$scratch/x" --steps 2
expect 1 "$pintle" trm train --task sudoku4 --out "$scratch/x" --steps 2 --minutes 1
expect 1 "$pintle" trm train --out "$scratch/x" --steps 2
expect 2 train --out "$scratch/x" --steps 2 --set trm.network.widht=3
says "did you mean 'trm.network.width'?"
expect 2 train --out "$scratch/x" --steps 2 --set trm.network.width=17

# Damaged models and checkpoints.
expect 3 "$pintle" trm eval --model "$scratch/nowhere" --generate 2
cp -r "$model" "$scratch/damaged"
printf 'x' | dd of="$scratch/damaged/model.safetensors" bs=1 seek=2000 conv=notrunc 2>/dev/null
expect 4 "$pintle" trm eval --model "$scratch/damaged" --generate 2
head -c 900 "$model/model.safetensors" >"$scratch/damaged/model.safetensors"
expect 4 "$pintle" trm solve --model "$scratch/damaged" --puzzle "$puzzle"
printf '{' >"$scratch/damaged/config.json"
expect 4 "$pintle" trm solve --model "$scratch/damaged" --puzzle "$puzzle"
expect 0 train --out "$scratch/stopped" --steps 40 --until-step 21 --fresh
find "$scratch/stopped/checkpoints" -name '*.safetensors' | tail -n 1 | xargs truncate -s 1000
expect 4 train --out "$scratch/stopped" --steps 40

# trm is a name of the program.
ln -s "$pintle" "$scratch/trm"
expect 0 "$scratch/trm" solve --help
prints "--abstain"
