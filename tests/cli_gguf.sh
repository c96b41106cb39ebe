#!/usr/bin/env bash
# GGUF files by the command line: what M31R exports gives the text of the model folder, random models of every type give the same
# bytes for any number of threads, and damaged files are refused.
. "$(dirname "$0")/lib.sh"
shipped=$project/models/m31r-1m

# Out of our own format and back.
expect 0 "$pintle" m31r export --model "$shipped" --format gguf --type bf16 --out "$scratch/export"
gguf=$scratch/export/m31r-1m-bf16.gguf
expect 0 "$pintle" m31r generate --model "$shipped" --prompt 'pub fn ' --max-tokens 24
cp "$scratch/out" "$scratch/folder"
for threads in 1 2 3; do
  expect 0 "$pintle" complete "$gguf" --prompt 'pub fn ' --max-tokens 24 --threads $threads
  cmp "$scratch/folder" "$scratch/out" || fail "the export and its folder differ with $threads threads"
done
expect 0 "$pintle" tokenize "$gguf" --text 'fn main() {}'
prints '"fn"'
expect 0 "$pintle" show "$gguf" --json
[ "$(json parameters)" = 1312384 ] || fail "show counts $(json parameters) weights"
text=$project/src/corpus/testdata/mini/shapes/src/lib.rs
expect 0 "$pintle" perplexity "$gguf" --file "$text" --json
exact=$(json perplexity)

# Every type: written, read, the same bytes for any number of threads, and not far from the original.
for type in q8_0 q6_k q5_k_m q4_k_m q5_k_s q4_k_s iq4_xs iq4_nl q5_1 q5_0 q4_1 q4_0 f16 bf16 f32; do
  expect 0 "$pintle" quantize "$gguf" "$scratch/$type.gguf" --type $type
  expect 0 "$pintle" complete "$scratch/$type.gguf" --prompt 'pub fn ' --max-tokens 16 --threads 1
  cp "$scratch/out" "$scratch/one"
  expect 0 "$pintle" complete "$scratch/$type.gguf" --prompt 'pub fn ' --max-tokens 16 --threads 3
  cmp "$scratch/one" "$scratch/out" || fail "$type: 1 and 3 threads differ"
  expect 0 "$pintle" perplexity "$scratch/$type.gguf" --file "$text" --json
  awk -v a="$exact" -v b="$(json perplexity)" 'BEGIN { exit !(b > 0.9 * a && b < 1.25 * a) }' ||
    fail "$type: perplexity $(json perplexity), the original has $exact"
done
expect 0 "$pintle" quantize "$gguf" "$scratch/plan.gguf" --type q8_0 --dry-run
expect 0 "$pintle" models synth --arch tiny-llama --out "$scratch/plan.gguf" --dry-run
prints "would write"
[ ! -e "$scratch/plan.gguf" ] || fail "--dry-run wrote something"
for arch in tiny-llama tiny-qwen2 tiny-qwen3; do
  expect 0 "$pintle" models synth --arch $arch --type q4_k_m --out "$scratch/$arch.gguf"
  expect 0 "$pintle" chat "$scratch/$arch.gguf" --max-tokens 4 hello
  expect 0 "$pintle" show "$scratch/$arch.gguf" --prompt hello
  for type in f32 f16 bf16 q8_0 q6_k q5_k_m q5_k_s q5_1 q5_0 q4_k_m q4_k_s q4_1 q4_0 iq4_nl iq4_xs; do
    expect 0 "$pintle" models synth --arch $arch --type $type --out "$scratch/random.gguf"
    expect 0 "$pintle" verify "$scratch/random.gguf"
    prints "all finite"
    for threads in 1 3; do
      expect 0 "$pintle" complete "$scratch/random.gguf" --ids 5,6,7 --logits "$scratch/logits$threads" --threads $threads
    done
    cmp "$scratch/logits1" "$scratch/logits3" || fail "$arch $type: 1 and 3 threads differ"
  done
done

expect 0 "$pintle" models synth --arch tiny-qwen3 --context 4096 --out "$scratch/long.gguf"
expect 0 "$pintle" show "$scratch/long.gguf" --json
prints 4096

# Wrong and damaged input.
expect 1 "$pintle" models synth --arch tiny-qwen3 --context -1 --out "$scratch/none.gguf"
says "no model knows -1 positions"
for verb in chat show quantize complete perplexity tokenize "models synth" "bench llm"; do
  # shellcheck disable=SC2086
  expect 0 "$pintle" $verb --help
done
expect 3 "$pintle" show "$scratch/nowhere.gguf"
expect 4 "$pintle" show "$text"
says "does not begin with GGUF"
size=$(stat -c %s "$gguf")
for part in 8 100 2000 $((size / 2)) $((size - 1)); do
  head -c "$part" "$gguf" >"$scratch/cut.gguf"
  expect 4 "$pintle" complete "$scratch/cut.gguf" --prompt x
done
expect 1 "$pintle" quantize "$gguf" "$scratch/x.gguf" --type q9_9
[ ! -e "$scratch/x.gguf" ] || fail "a refused type left a file"

# Answers that keep to a form, and how sure the model was.
printf '{"type":"object","properties":{"a":{"type":"integer"},"b":{"enum":["x","y"]}},"required":["a","b"],"additionalProperties":false}' >"$scratch/schema.json"
expect 0 "$pintle" complete "$gguf" --prompt 'x = ' --json-schema "$scratch/schema.json" --max-tokens 250 --temperature 1
tr -d '[:space:]' <"$scratch/out" | grep -qE '^\{"a":-?[0-9]+,"b":"[xy]"\}$' || fail "not of the schema: $(cat "$scratch/out")"
printf 'root ::= ("yes" | "no") "."' >"$scratch/answer.gbnf"
expect 0 "$pintle" chat "$scratch/tiny-qwen3.gguf" --grammar "$scratch/answer.gbnf" really
grep -qE '^(yes|no)\.$' "$scratch/out" || fail "not of the grammar: $(cat "$scratch/out")"
printf '{"type":"string","pattern":"a"}' >"$scratch/schema.json"
expect 4 "$pintle" complete "$gguf" --prompt x --json-schema "$scratch/schema.json"
says "the keyword 'pattern' is not supported here"
printf 'root ::= root "a" | "b"' >"$scratch/answer.gbnf"
expect 4 "$pintle" complete "$gguf" --prompt x --grammar "$scratch/answer.gbnf"
says "can begin with itself"
expect 0 "$pintle" complete "$gguf" --prompt 'fn ' --max-tokens 2 --json --top-logprobs 2 --repetition-penalty 1.1 --min-p 0.1
prints '"logprobs":[{"id":'
expect 1 "$pintle" complete "$gguf" --prompt x --min-p 2
says "min-p must lie between 0 and 1"

# Tools stand in the prompt.
printf '[{"type":"function","function":{"name":"add","parameters":{"type":"object"}}}]' >"$scratch/tools.json"
expect 0 "$pintle" show "$scratch/tiny-qwen3.gguf" --prompt hello --tools "$scratch/tools.json" --json
prints '{\"name\": \"add\", \"parameters\": {\"type\": \"object\"}}'
printf '[{"function":{"name":"a b"}}]' >"$scratch/tools.json"
expect 4 "$pintle" show "$scratch/tiny-qwen3.gguf" --prompt hello --tools "$scratch/tools.json"
says "a name has 1 to 64 letters"
