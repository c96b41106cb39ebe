#!/usr/bin/env bash
# The whole pipeline by the command line, on the small Rust tree of the tests: one set of hashes for any number of threads, a
# second run that does nothing, a stop and a resume, every verb on what it made, and the errors of damaged or missing input.
. "$(dirname "$0")/lib.sh"
source=$project/src/corpus/testdata/mini
small=(--set tokenizer.vocab_size=600 --set train.steps=12 --set train.batch=2 --set train.time=64 --set train.eval_batches=2
  --set train.sample_interval=0 --set train.eval_interval=0 --set train.checkpoint_interval=4)
work=$scratch/work

# One set of hashes for 1, 2 and 3 threads; nothing to do the second time.
for threads in 1 2 3; do
  expect 0 "$pintle" m31r run --preset demo --source "$source" --work "$scratch/work$threads" --threads $threads --seed 5 --json "${small[@]}"
  cp "$scratch/out" "$scratch/run$threads"
done
cmp "$scratch/run1" "$scratch/run2" || fail "1 and 2 threads differ"
cmp "$scratch/run1" "$scratch/run3" || fail "1 and 3 threads differ"
weights=$(json weights)
[ ${#weights} -eq 64 ] || fail "no weights hash"
mv "$scratch/work1" "$work"
expect 0 "$pintle" m31r run --preset demo --source "$source" --work "$work" --seed 5 --json "${small[@]}"
cmp "$scratch/run1" "$scratch/out" || fail "a second run changed something"
says "train: up to date"

# The plan: the settings that would be used, and what of the work stays.
expect 0 "$pintle" m31r run --preset demo --source "$source" --work "$work" --seed 6 --dry-run "${small[@]}"
prints "vocab_size = 600"
prints "seed = 6"
grep -qE '^train  .*to be made anew: other settings$' "$scratch/out" || fail "the plan does not see the other seed"
grep -qE '^shard  .*kept if what comes before it is the same$' "$scratch/out" || fail "the plan makes shards anew"
expect 0 "$pintle" m31r run --preset demo --source "$source" --work "$scratch/none" --json --dry-run
prints '"stage":"train","settings":"'
[ ! -e "$scratch/none" ] || fail "a plan made a folder"
expect 2 "$pintle" m31r run --preset demo --source "$source" --work "$work" --dry-run --set train.stepz=1
says "did you mean 'train.steps'?"
# A file of settings lies over the preset's.
printf '[train]\nlr = 0.005\n' >"$scratch/over.toml"
expect 0 "$pintle" m31r run --preset demo --config "$scratch/over.toml" --source "$source" --work "$work" --dry-run
prints "lr = 0.005"
prints 'preset = "m31r-1m"'
expect 1 "$pintle" m31r run --preset huge --source "$source" --work "$work"
says "no preset 'huge'"
grep -q '"benchmarks"' "$work/filtered/manifest.json" || fail "the shipped benchmarks were not kept out of the corpus"

# Looking at it.
expect 0 "$pintle" m31r verify "$work"
prints "ok"
expect 0 "$pintle" m31r info "$work"
prints "stage dataset"
expect 0 "$pintle" config --config "$project/configs/m31r/presets/demo.toml" --set train.lr=0.001
prints "lr = 0.001  # --set"
prints "vocab_size = 4096  # file"
expect 0 "$pintle" config --set eval.samples=7
prints "samples = 7  # --set"
expect 0 "$pintle" m31r report "$work" --out "$work"
[ -s "$work/report.html" ] || fail "no report"

# Rebuilding a model from its recipe: the finding lies beside the run, and report and gates read it.
cp -r "$work/run/model" "$scratch/shipped"
cp "$project/configs/m31r/presets/demo.toml" "$scratch/shipped/recipe.toml"
recipe() {
  printf '{"source":"src/corpus/testdata/mini","dataset":"%s","tokenizer":"%s","weights":"%s"}\n' "$1" "$2" "$3" \
    >"$scratch/shipped/recipe.json"
}
cp "$scratch/run1" "$scratch/out"
dataset=$(json dataset) tokenizer=$(json tokenizer)
recipe "$dataset" "$tokenizer" "$weights"
expect 0 "$pintle" m31r reproduce "$scratch/shipped" --work "$work" --seed 5 --dry-run "${small[@]}"
prints "would rebuild"
[ ! -e "$work/run/reproduced.json" ] || fail "a dry run wrote a finding"
expect 0 "$pintle" m31r reproduce "$scratch/shipped" --work "$work" --seed 5 "${small[@]}"
prints "weights    $weights  the same"
expect 0 "$pintle" m31r report "$work" --out "$work"
grep -qF "rebuilt, the bytes of shipped" "$work/report.md" || fail "the report lacks what reproduce found"
recipe "$dataset" "$tokenizer" "${weights//[0-9]/f}"
expect 4 "$pintle" m31r reproduce "$scratch/shipped" --work "$work" --seed 5 "${small[@]}"
expect 0 "$pintle" m31r report "$work" --out "$work"
grep -qF "rebuilt, other bytes than shipped" "$work/report.md" || fail "the report lacks a difference"
# The recipe's archive may lie here already; another one is noticed before anything is made.
tar -C "$source/.." -czf "$scratch/mini.tar.gz" mini
printf '[[source]]\nname = "mini"\nkind = "archive"\nurl = ["http://127.0.0.1:9/mini.tar.gz"]\nsha256 = "%s"\n' \
  "$(sha256sum <"$scratch/mini.tar.gz" | cut -c1-64)" >"$scratch/sources.toml"
printf '{"source":"%s","package_sha256":"%s","dataset":"x","tokenizer":"x","weights":"x"}\n' "$scratch/sources.toml" \
  "$(sha256sum <"$scratch/mini.tar.gz" | cut -c1-64)" >"$scratch/shipped/recipe.json"
rebuild=("$pintle" m31r reproduce "$scratch/shipped" --work "$scratch/again" "${small[@]}" --source)
expect 0 "${rebuild[@]}" "$scratch/mini.tar.gz" --dry-run
prints "to be made"
expect 4 "${rebuild[@]}" "$scratch/mini.tar.gz"
says "differs from the shipped one"
expect 0 "$pintle" m31r verify "$scratch/again"
printf x >>"$scratch/mini.tar.gz"
expect 4 "${rebuild[@]}" "$scratch/mini.tar.gz"
says "not the archive that the model was made from"

# Two evaluations side by side.
mkdir "$scratch/before" "$scratch/now"
printf '{"seed":0,"compile_rate":0.5,"pass_at":{"1":0.2}}\n' >"$scratch/before/metrics.json"
printf '{"seed":0,"compile_rate":0.49,"pass_at":{"1":0.1}}\n' >"$scratch/now/metrics.json"
expect 0 "$pintle" m31r benchmark compare "$scratch/before" "$scratch/before/metrics.json"
expect 4 "$pintle" m31r benchmark compare "$scratch/now" "$scratch/before" --json
prints '{"score":"compile_rate","before":0.5,"now":0.49,"worse":false}'
says "worse than the baseline: pass_at.1 from 0.2 to 0.1"
expect 3 "$pintle" m31r benchmark compare "$scratch/nowhere" "$scratch/before"

# Using it.
model=$work/run/model
expect 0 "$pintle" m31r generate --model "$model" --prompt 'pub fn ' --max-tokens 8 --json
cp "$scratch/out" "$scratch/first"
expect 0 "$pintle" m31r generate --model "$model" --prompt 'pub fn ' --max-tokens 8 --json --threads 1
choices() { sed -E 's/.*("text".*"finish_reason":"[a-z]*").*/\1/' "$1"; }
[ "$(choices "$scratch/first")" = "$(choices "$scratch/out")" ] || fail "generation depends on threads"
expect 0 "$pintle" m31r generate --model "$model" --prompt 'fn f(a: u8, b' --stop , --stop '[x,' --max-tokens 60 --temperature 1
grep -q , "$scratch/out" && fail "an answer goes past its stop text"
expect 0 "$pintle" m31r generate --model "$model" --prefix 'fn a() {' --suffix '}' --max-tokens 8
expect 0 "$pintle" m31r trace --work "$work" --shard "$work/shards/train-00000.bin" --token 3
prints "licence"
expect 0 "$pintle" m31r tokenizer encode --work "$work" --text 'fn main() {}'
ids=$(cat "$scratch/out")
# shellcheck disable=SC2086
expect 0 "$pintle" m31r tokenizer decode --work "$work" $ids
[ "$(cat "$scratch/out")" = 'fn main() {}' ] || fail "encode and decode"
for type in f32 f16 bf16 q8_0; do
  expect 0 "$pintle" m31r export --model "$model" --format gguf --type $type --out "$scratch/gguf-$type"
done
expect 0 "$pintle" m31r export --model "$model" --format safetensors --out "$scratch/release"
for file in tied-gqa untied-mha; do
  expect 0 "$pintle" m31r parity "$project/src/models/decoder/testdata/$file.safetensors" --json
done

# Ctrl-C, a kill, and going on: the same bytes as without a stop.
long=("$pintle" m31r run --preset demo --source "$source" --seed 5 --json "${small[@]}" --set train.steps=120)
expect 0 "${long[@]}" --work "$scratch/work3"
wanted=$(json weights)
for signal in INT KILL; do
  rm -rf "$scratch/work2/run"
  "${long[@]}" --work "$scratch/work2" >"$scratch/out" 2>"$scratch/err" &
  job=$!
  for _ in $(seq 600); do
    [ "$(grep -c '"type":"step"' "$scratch/work2/run/run.jsonl" 2>/dev/null)" -ge 6 ] 2>/dev/null && break
    sleep 0.05
  done
  kill -$signal $job
  got=0
  wait $job || got=$?
  if [ $signal = INT ]; then
    [ $got -eq 3 ] || fail "an interrupted run ended with $got"
    says "run the same command again"
  fi
  expect 0 "${long[@]}" --work "$scratch/work2" --threads 3
  [ "$(json weights)" = "$wanted" ] || fail "SIG$signal and a second run give other weights"
done

# Every shipped file of settings is one.
for file in "$project"/configs/m31r/{filter,tokenizer,shard}.toml "$project"/configs/m31r/presets/*.toml; do
  expect 0 "$pintle" config --config "$file"
done
for file in "$project"/configs/m31r/corpus-*.toml; do
  expect 0 "$pintle" m31r crawl --source "$file" --work "$scratch/none" --dry-run
done

# Wrong and damaged input.
expect 3 "$pintle" m31r filter --work "$scratch/nowhere"
expect 3 "$pintle" m31r train --work "$scratch/nowhere"
expect 2 "$pintle" m31r filter --work "$work" --set filter.text.max_linez=3
says "did you mean 'filter.text.max_lines'?"
printf '[train]\nstepz = 3\n' >"$scratch/bad.toml"
expect 2 "$pintle" m31r train --work "$work" --config "$scratch/bad.toml"
says "did you mean 'train.steps'?"
expect 3 "$pintle" m31r generate --model "$scratch/nowhere" --prompt x
printf 'x' | dd of="$model/model.safetensors" bs=1 seek=4000 conv=notrunc 2>/dev/null
expect 4 "$pintle" m31r verify "$work"
says "SHA-256"
head -c 1000 "$model/model.safetensors" >"$scratch/cut" && cp "$scratch/cut" "$model/model.safetensors"
expect 4 "$pintle" m31r generate --model "$model" --prompt x
printf 'no archive' >"$scratch/a.tar"
expect 4 "$pintle" m31r crawl --source "$scratch/a.tar" --work "$scratch/w"

# A full disk: a clear error, and the old output stays.
if [ "$(id -u)" -eq 0 ] && mkdir "$scratch/disk" && mount -t tmpfs -o size=200k tmpfs "$scratch/disk" 2>/dev/null; then
  trap 'umount "$scratch/disk"; chmod -R u+w "$scratch"; rm -rf "$scratch"' EXIT
  expect 3 "$pintle" m31r run --preset demo --source "$source" --work "$scratch/disk/work" "${small[@]}"
  says "No space left on device"
  says "hint:"
fi
