#!/usr/bin/env bash
# ARC by the command line: training on the demonstrations of a folder of problems, votes over views, submission.json; errors.
. "$(dirname "$0")/lib.sh"
problems=$project/src/puzzles/testdata/arc
small=(--task arc --seed 5 --json --set trm.network.width=32 --set trm.train.batch=8
  --set trm.train.eval_interval=0 --set trm.train.cooldown_steps=4 --set task.arc_augmentations=4)
train() { "$pintle" trm train "${small[@]}" --data "$@"; }

for threads in 1 2; do
  expect 0 train "$problems" --out "$scratch/run$threads" --steps 12 --threads $threads
  weights[threads]=$(json weights)
done
[ ${#weights[1]} -eq 64 ] && [ "${weights[1]}" = "${weights[2]}" ] || fail "threads change the weights"
expect 0 train "$problems" --out "$scratch/run1" --steps 12
prints '"up_to_date":true'

# All problems, all tests, and two attempts for each of them; the same for any number of threads.
model=$scratch/run1/model
expect 0 "$pintle" trm eval --model "$model" --depth 2 --json --submission "$scratch/submission.json" --threads 2
for part in '"problems":4' '"tests":5' '"known_tests":5' '"count":20' '"pass":{"1":' '"baseline_pass":0'; do prints "$part"; done
[ "$(grep -o '"attempt_[12]"' "$scratch/submission.json" | wc -l)" -eq 10 ] || fail "not two attempts for every test"
for id in 25ff71a9 3c9b0459 74dd1130 a79310a0; do grep -q "\"$id\":\[{" "$scratch/submission.json" || fail "$id is missing"; done
cp "$scratch/submission.json" "$scratch/first"
expect 0 "$pintle" trm eval --model "$model" --depth 2 --submission "$scratch/submission.json" --threads 1 --batch 3
prints "pass@2"
cmp "$scratch/submission.json" "$scratch/first" || fail "threads or batch change a submission"

# Single problems: grids, votes, whether the tries are right; what the recursion does; a sheet with the examples.
expect 0 "$pintle" trm solve --model "$model" --depth 1
[ "$(grep -c ', test [12] of [12]$' "$scratch/out")" -eq 5 ] || fail "not all tests"
expect 0 "$pintle" trm solve --model "$model" --puzzle 3c9b0459 --depth 2
prints "3c9b0459, test 1 of 1"
expect 0 "$pintle" trm solve --model "$model" --puzzle 3c9b0459 --depth 2 --json --trace "$scratch/arc.ndjson" --picture "$scratch/arc.svg"
for part in '"problem":"3c9b0459"' '"views":4' '"tries":['; do prints "$part"; done
[ "$(grep -c '"type":"state"' "$scratch/arc.ndjson")" -eq 12 ] || fail "the trace has not T (n + 1) states a step"
for caption in 'example 4' 'becomes' 'test 1' 'is right'; do grep -q ">$caption<" "$scratch/arc.svg" || fail "no '$caption' on the sheet"; done
grep -q E11D48 "$scratch/arc.svg" && fail "grids of different examples are compared"
expect 4 "$pintle" trm solve --model "$model" --puzzle 00000000
says "not trained on a problem '00000000'"
expect 1 "$pintle" trm solve --model "$model" --picture "$scratch/arc.svg"
says "--puzzle NAME chooses a problem"

# The problems may move, but must be the same; a test output may become known later.
cp -r "$problems" "$scratch/moved"
expect 0 "$pintle" trm eval --model "$model" --data "$scratch/moved" --depth 1
expect 0 "$pintle" trm solve --model "$model" --file "$scratch/moved" --puzzle 74dd1130 --depth 1
rm "$scratch/moved/74dd1130.json"
expect 4 "$pintle" trm eval --model "$model" --data "$scratch/moved" --depth 1
says "trained on other problems"
sed -i 's/8/7/' "$scratch/moved/3c9b0459.json"
expect 2 train "$scratch/moved" --out "$scratch/run1" --steps 12
says "other settings"

# One problem alone; what does not fit.
expect 0 train "$problems" --out "$scratch/one" --steps 4 --set task.arc_problem=3c9b0459 --set task.arc_side=3
expect 0 "$pintle" trm eval --model "$scratch/one/model" --depth 1 --json
prints '"problems":1,"tests":1'
expect 2 train "$problems" --out "$scratch/x" --steps 2 --set task.arc_problem=3c9b
says "no problem '3c9b'"
expect 2 train "$problems" --out "$scratch/x" --steps 2 --set task.arc_side=2
says "small enough"
expect 2 train "$problems" --out "$scratch/x" --steps 2 --set trm.train.data=puzzles.csv
says "task.data"
expect 2 "$pintle" trm train --task arc --out "$scratch/x" --steps 2
says "needs a file of problems"
expect 3 train "$scratch/nowhere" --out "$scratch/x" --steps 2
mkdir "$scratch/empty"
expect 4 train "$scratch/empty" --out "$scratch/x" --steps 2
printf '{"train": [' >"$scratch/empty/broken.json"
expect 4 train "$scratch/empty" --out "$scratch/x" --steps 2
says "broken.json:1:12"
expect 1 "$pintle" trm eval --model "$model" --generate 4
expect 1 "$pintle" trm eval --model "$project/models/sudoku4" --generate 4 --submission "$scratch/s.json"
