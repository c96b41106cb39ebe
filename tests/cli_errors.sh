#!/usr/bin/env bash
# What goes wrong for people: missing folders, wrong keys and values, every file of a run damaged by one byte, a full disk, a
# Ctrl-C. Each ends with the right exit status, words that say what and where, and nothing lost.
. "$(dirname "$0")/lib.sh"
source=$project/src/corpus/testdata/mini
small=(--set tokenizer.vocab_size=600 --set train.steps=4 --set train.batch=2 --set train.time=64 --set train.eval_batches=2
  --set train.sample_interval=0 --set train.checkpoint_interval=2 --threads 1)
whole=$scratch/whole work=$scratch/work nowhere=$scratch/nowhere
run=("$pintle" m31r run --preset demo --source "$source" "${small[@]}")
expect 0 "${run[@]}" --work "$whole"
expect 0 "$pintle" m31r verify "$whole"
fresh() { chmod -R u+w "$work" 2>/dev/null || true; rm -rf "$work" && cp -r "$whole" "$work" && chmod -R u+w "$work"; }

# Missing things: 3, and where. Nothing is made there.
for words in "filter --work X" "why lib.rs --work X" "dataset --work X" "trace --work X --document 1" "tokenizer train --work X" \
  "tokenizer encode --work X --text x" "tokenizer info --work X" "shard --work X" "train --work X" "resume --work X" \
  "eval --work X" "report X" "generate --model X --prompt x" "export --model X --out $scratch/e" "parity X" "verify X" \
  "info X" "clean --work X" "crawl --source X --work $scratch/w" "run --source X --work $scratch/w"; do
  # shellcheck disable=SC2086
  expect 3 "$pintle" m31r ${words//X/$nowhere}
  says "$nowhere"
  [ ! -e "$nowhere" ] || fail "made a folder: $words"
done

# Wrong keys: 2 and a near word. Wrong values and words: 1 or 2, and which.
for words in "filter filter.text.max_linez=1 filter.text.max_lines" "dataset dataset.val_per_mile=1 dataset.val_per_mille" \
  "shard shard.segment_tokenz=1 shard.segment_tokens" "train train.stepz=1 train.steps" "eval eval.samplez=1 eval.samples"; do
  read -r verb setting near <<<"$words"
  expect 2 "$pintle" m31r "$verb" --work "$whole" --set "$setting"
  says "did you mean '$near"
done
expect 2 "$pintle" m31r train --work "$whole" --set train.lr=fast
diff - "$scratch/err" <<'T' || fail "text of a wrong value"
error: train.lr: a number is needed
  --> --set
T
expect 2 "$pintle" m31r dataset --work "$whole" --set dataset.val_per_mille=2000
says "is not within 0 to 500"
expect 2 "$pintle" m31r train --work "$whole" --config "$nowhere"
printf '[train\n' >"$scratch/bad.toml"
expect 2 "$pintle" m31r train --work "$whole" --config "$scratch/bad.toml"
says "bad.toml:1"
expect 1 "$pintle" m31r train
says "--work is required"
expect 1 "$pintle" m31r train --work "$whole" --minutes -1
expect 1 "$pintle" m31r train --work "$whole" --until-step -1
expect 1 "$pintle" m31r resume --work "$whole" --set train.lr=1
says "resume goes on with the settings of the run"
expect 1 "$pintle" m31r tokenizer decode --work "$whole" abc
says "holds no number"
expect 1 "$pintle" m31r verify "$whole/run/run.jsonl"
says "not a folder"
expect 1 "$pintle" m31r eval --work "$whole" --tasks "$whole"
says "metadata.toml"
expect 3 "$pintle" m31r eval --work "$whole" --baseline "$nowhere"
[ ! -e "$whole/eval" ] || fail "the baseline is looked for after the evaluation"

# damage FILE: one byte of it in the middle is another one.
damage() {
  local file=$work/$1 at byte
  at=$(($(stat -c %s "$file") / 2))
  byte=$(od -An -tu1 -j$at -N1 "$file")
  # shellcheck disable=SC2059
  printf "\\x$(printf %x $((byte ^ 21)))" | dd of="$file" bs=1 seek=$at conv=notrunc 2>/dev/null
}
# damaged FILE REMOVED VERB...: without the folders that would make the verb a no-op, it refuses the damaged file by name.
damaged() {
  local file=$1 removed=$2 name
  shift 2
  fresh
  for name in $removed; do rm -rf "${work:?}/$name"; done
  damage "$file"
  expect 4 "$pintle" m31r "$@" --work "$work"
  says "$work/${file%/*}"
}
damaged raw/mini/files.pack filtered filter
says "does not have its SHA-256"
damaged raw/mini/files.jsonl.zst filtered filter
damaged raw/mini/manifest.json filtered filter
damaged filtered/documents.jsonl.zst dataset dataset
damaged filtered/manifest.json dataset dataset
damaged filtered/ledger.sqlite "" why lib.rs
damaged dataset/train.jsonl.zst "tokenizer shards" tokenizer train
damaged dataset/manifest.json "tokenizer shards" tokenizer train
damaged dataset/val.jsonl.zst shards shard
damaged tokenizer/tokenizer.json shards shard
damaged tokenizer/manifest.json shards shard
training=(train --steps 4 "${small[@]}")
damaged shards/train-00000.bin run "${training[@]}"
damaged shards/val-00000.bin run "${training[@]}"
damaged shards/manifest.json run "${training[@]}"
for file in weights.safetensors optimizer.safetensors state.json config.toml manifest.json; do
  damaged "run/checkpoints/step-00000004/$file" run/model resume
  says "to go on from the checkpoint before it"
done
damaged dataset/test.jsonl.zst "" eval
for file in model.safetensors tokenizer.json config.json manifest.json; do
  fresh
  damage "run/model/$file"
  expect 4 "$pintle" m31r generate --model "$work/run/model" --prompt x
  expect 4 "$pintle" m31r export --model "$work/run/model" --out "$scratch/e"
  [ ! -e "$scratch/e" ] || fail "a release of a damaged model"
done
# verify finds a changed byte in whatever a stage wrote, downloads and shipped models included.
expect 0 "$pintle" m31r verify "$project/models"
fresh
mkdir "$work/archives" && printf x >"$work/archives/$(printf x | sha256sum | cut -c1-64)"
expect 0 "$pintle" m31r verify "$work"
prints "archives"
while IFS= read -r file; do
  cp "$work/$file" "$scratch/saved"
  damage "$file"
  expect 4 "$pintle" m31r verify "$work"
  says "${file##*/}"
  cp "$scratch/saved" "$work/$file"
done < <(cd "$work" && find . -type f ! -name run.jsonl ! -path ./run/config.toml ! -path ./raw/sources.json | sed 's|^\./||' | sort)

# A full disk (files of at most so many KiB): 3, what stood there stays, and the next try goes on.
for limit in 4 12 100; do
  chmod -R u+w "$work" && rm -rf "$work"
  (
    trap '' XFSZ
    ulimit -f $limit
    "${run[@]}" --work "$work" >"$scratch/out" 2>"$scratch/full"
  ) && fail "files of $limit KiB were enough"
  grep -q "File too large" "$scratch/full" || fail "no word of the full disk: $(cat "$scratch/full")"
  find "$work" -name '*.tmp*' | grep -q . && fail "a temporary file is left"
done
expect 0 "${run[@]}" --work "$work"
for folder in dataset run/model; do
  cmp "$work/$folder/manifest.json" "$whole/$folder/manifest.json" || fail "$folder is another one after a full disk"
done
