#!/usr/bin/env bash
# pintle trm tasks: the list, one task closer, fresh puzzles as a file; errors.
. "$(dirname "$0")/lib.sh"

expect 0 "$pintle" trm tasks
for task in copy reverse sort parity majority selective_copy sudoku4 sudoku6 sudoku9 sudoku16 maze10 arc; do prints "$task "; done
expect 0 "$pintle" trm tasks --json
[ "$(grep -o '"example":' "$scratch/out" | wc -l)" -eq 11 ] || fail "an example of every task that needs no file"
expect 0 "$pintle" trm tasks sudoku6
prints 'baseline: '

# The same seed gives the same puzzles, another seed others; a file that was written reads as what it is.
expect 0 "$pintle" trm tasks sudoku9 --generate 5 --seed 3
cp "$scratch/out" "$scratch/a.csv"
[ "$(head -n 1 "$scratch/a.csv")" = "puzzle,solution" ] || fail "no header"
grep -qvE '^([.1-9]{81},[1-9]{81}|puzzle,solution)$' "$scratch/a.csv" && fail "a line is not 81 cells, a comma, 81 cells"
expect 0 "$pintle" --threads 1 trm tasks sudoku9 --generate 5 --seed 3
cmp "$scratch/out" "$scratch/a.csv" || fail "not the same puzzles"
expect 0 "$pintle" trm tasks sudoku9 --generate 5 --seed 4
cmp -s "$scratch/out" "$scratch/a.csv" && fail "another seed gave the same puzzles"
expect 0 "$pintle" trm tasks maze12 --generate 2 --grids
[ "$(wc -l <"$scratch/out")" -eq 26 ] || fail "two grids of twelve lines, an empty line after each"
expect 0 "$pintle" trm tasks sort --generate 3 --split test --json
prints '"solution":'

# Puzzles of files as one file: a twin (here: two digits changed about) is the same puzzle, and splits part the rest.
tr 12 21 <"$scratch/a.csv" >"$scratch/twins.csv"
expect 0 "$pintle" trm tasks sudoku9 --data "$scratch/twins.csv"
[ "$(wc -l <"$scratch/out")" -eq 6 ] || fail "not five puzzles"
expect 0 "$pintle" trm tasks sudoku9 --data "$scratch/a.csv" --data "$scratch/twins.csv"
cmp "$scratch/out" "$scratch/a.csv" || fail "twins were taken for other puzzles"
says "twins.csv: 0 of 5 puzzles"
for split in train test; do
  expect 0 "$pintle" trm tasks sudoku9 --data "$scratch/a.csv" --split $split
  tail -n +2 "$scratch/out" >>"$scratch/parts"
done
tail -n +2 "$scratch/a.csv" | sort | cmp - <(sort "$scratch/parts") || fail "train and test are not all"
expect 1 "$pintle" trm tasks sudoku9 --data "$scratch/a.csv" --generate 3
expect 1 "$pintle" trm tasks --data "$scratch/a.csv"

expect 2 "$pintle" trm tasks sudoku5
says "the tasks are copy, reverse"
expect 2 "$pintle" trm tasks maze3
says "write maze5 to maze40"
expect 2 "$pintle" trm tasks sudoku4 --set task.givens_low=3
expect 2 "$pintle" trm tasks sudoku4 --set task.givns_low=5
says "did you mean 'task.givens_low'?"
expect 2 "$pintle" trm tasks arc
says "--set task.data=FILE.json"
expect 1 "$pintle" trm tasks --generate 3
expect 1 "$pintle" trm tasks sort --generate 3 --split valid

# ARC: a bad file is told with task, row and column; a good one gives samples.
echo '{"a": {"train": [{"input": [[1, 10]], "output": [[1]]}], "test": [{"input": [[1]]}]}}' >"$scratch/bad.json"
expect 4 "$pintle" trm tasks arc --set task.data="$scratch/bad.json"
says "task a, train 1, input, row 1, column 2"
sed 's/10/9/' "$scratch/bad.json" >"$scratch/good.json"
expect 0 "$pintle" trm tasks arc --set task.data="$scratch/good.json" --generate 2
[ "$(tail -n 1 "$scratch/out" | wc -c)" -eq 20 ] || fail "two canvases of 3 x 3 cells"
