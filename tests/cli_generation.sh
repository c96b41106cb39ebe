#!/usr/bin/env bash
# What changes the time and the memory of an answer by the command line: guesses, the types of keys and values, threads. Answers show
# no more of it than they should.
. "$(dirname "$0")/lib.sh"
gguf=$scratch/m31r-1m-f32.gguf
expect 0 "$pintle" m31r export --model "$project/models/m31r-1m" --format gguf --type f32 --out "$scratch"
[ -s "$gguf" ] || fail "no export"
text=$project/src/corpus/testdata/mini/shapes/src/lib.rs
prompt=$(head -c 700 "$text")

# Guesses and threads do not show, whatever the type of keys and values.
for kv in f32 f16 q8; do
  for temperature in 0 0.8; do
    expect 0 "$pintle" complete "$gguf" --prompt "$prompt" --max-tokens 48 --temperature $temperature --kv $kv --guess 0 --threads 1
    cp "$scratch/out" "$scratch/plain"
    for guess in 1 7; do
      expect 0 "$pintle" complete "$gguf" --prompt "$prompt" --max-tokens 48 --temperature $temperature --kv $kv --guess $guess --threads 3
      cmp "$scratch/plain" "$scratch/out" || fail "$kv at temperature $temperature: $guess guesses show"
    done
  done
  expect 0 "$pintle" perplexity "$gguf" --file "$text" --kv $kv --json
  [ "$kv" = f32 ] && exact=$(json perplexity)
  awk -v a="$exact" -v b="$(json perplexity)" 'BEGIN { exit !(b > 0.99 * a && b < 1.01 * a) }' ||
    fail "$kv: perplexity $(json perplexity), with f32 $exact"
done
expect 0 "$pintle" complete "$gguf" --prompt "$prompt" --max-tokens 48 --json
[ "$(json guessed_tokens)" -ge "$(json right_guesses)" ] || fail "more guesses came true than were made"
expect 0 "$pintle" bench llm "$gguf" --prompt 64 --generate 4 --repeat 1 --kv q8 --streams 3 --json
prints '"pp_tokens_per_s"'
prints '"streams_tokens_per_s"'
expect 1 "$pintle" bench llm "$gguf" --streams 65
says "--streams is 0 to 64"

expect 1 "$pintle" complete "$gguf" --prompt x --kv q4
says "keys and values are kept as f32, f16 or q8, not 'q4'"
expect 1 "$pintle" complete "$gguf" --prompt x --guess -1
says "guess must lie between 0 and 64"
