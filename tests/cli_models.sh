#!/usr/bin/env bash
# Models by name: the list, pulling from a hub that breaks off, gated models, verifying, and using what was pulled. The hub is a
# server on this machine; nothing else is asked for anything.
. "$(dirname "$0")/lib.sh"
export XDG_DATA_HOME=$scratch/data
unset HF_TOKEN
models=$scratch/data/pintle/models

# The list, and what is not here.
expect 0 "$pintle" models
prints "qwen3-0.6b"
prints "absent"
expect 0 "$pintle" models --json
prints '"id":"mistral-7b"'
expect 3 "$pintle" chat
says "none of the catalogue is here"
says "\`pintle pull "
expect 3 "$pintle" chat qwen3-0.6b hello
says "Qwen3 0.6B is not on this machine"
says "\`pintle pull qwen3-0.6b\` fetches it (639.4 MB, Apache-2.0)"
expect 1 "$pintle" chat qwen3-8 hello
says "did you mean 'qwen3-8b'?"
expect 1 "$pintle" pull qwen3-0.6
expect 1 "$pintle" pull http://example.org/x.gguf
says "the address is not https"
expect 1 "$pintle" pull hf:owner/name/x.bin
expect 1 "$pintle" pull qwen3-8b --sha256 12
expect 3 "$pintle" up --no-shipped --model qwen3-0.6b --port 0
says "\`pintle pull qwen3-0.6b\` fetches it"
[ ! -e "$models" ] || [ -z "$(ls -A "$models")" ] || fail "something was written without a download"
for verb in models pull verify; do expect 0 "$pintle" $verb --help; done
HF_ENDPOINT=https://hub.invalid expect 0 "$pintle" pull qwen3-8b --dry-run
says "https://hub.invalid/Qwen/Qwen3-8B-GGUF/resolve/main/Qwen3-8B-Q4_K_M.gguf"

# A hub on this machine.
expect 0 "$pintle" models synth --arch tiny-qwen3 --type q4_k_m --out "$scratch/good.gguf"
perl "$project/tests/serve_file.pl" "$scratch/good.gguf" "$scratch/port" >"$scratch/requests" &
server=$!
trap 'kill $server 2>/dev/null || true; chmod -R u+w "$scratch"; rm -rf "$scratch"' EXIT
for _ in $(seq 100); do [ -e "$scratch/port" ] && break || sleep 0.1; done
export HF_ENDPOINT=http://127.0.0.1:$(cat "$scratch/port")
sha=$(sha256sum "$scratch/good.gguf" | cut -d ' ' -f 1)

expect 0 "$pintle" pull hf:owner/name/good.gguf --json
[ "$(json sha256)" = "$sha" ] || fail "another hash: $(json sha256)"
cmp "$scratch/good.gguf" "$models/good.gguf" || fail "the pulled file differs"
half=$(($(stat -c %s "$scratch/good.gguf") / 2))
printf '/owner/name/resolve/main/good.gguf %s\n' - "$half" | cmp - "$scratch/requests" || fail "asked: $(cat "$scratch/requests")"
expect 0 "$pintle" pull hf:owner/name/good.gguf
[ "$(wc -l <"$scratch/requests")" = 2 ] || fail "a second pull fetched again"
expect 0 "$pintle" models --json
prints '{"file":"good.gguf"'
prints '"state":"verified"'
expect 0 "$pintle" verify good.gguf
prints "all finite; SHA-256 $sha"
expect 0 "$pintle" chat good.gguf --max-tokens 2 hello
expect 0 "$pintle" show good.gguf
expect 0 "$pintle" tokenize good.gguf --text x

# Refusals.
expect 3 "$pintle" pull hf:owner/name/gated.gguf
says "the model is gated: accept its licence at $HF_ENDPOINT/owner/name"
HF_TOKEN=wrong expect 3 "$pintle" pull hf:owner/name/gated.gguf
says "HF_TOKEN is not let in"
HF_TOKEN=open expect 0 "$pintle" pull hf:owner/name/gated.gguf
expect 4 "$pintle" pull hf:owner/name/html.gguf
says "does not begin with GGUF"
expect 3 "$pintle" pull hf:owner/name/none.gguf
says "the server answers 404"
expect 4 "$pintle" pull "$HF_ENDPOINT/x/other-good.gguf" --sha256 "$(printf '0%.0s' $(seq 64))"
says "SHA-256 is $sha"
[ ! -e "$models/other-good.gguf.part" ] || fail "a refused file stays"

# Damage is found; what cannot be trusted is not replaced unasked.
printf 'X' | dd of="$models/good.gguf" bs=1 seek=$((half + 7)) conv=notrunc status=none
expect 4 "$pintle" verify good.gguf
says "remove the file and pull it again"
expect 4 "$pintle" pull hf:owner/name/good.gguf
rm "$models/good.gguf"
expect 0 "$pintle" pull hf:owner/name/good.gguf
expect 0 "$pintle" verify "$scratch/good.gguf"
expect 4 "$pintle" verify "$0"
expect 0 "$pintle" verify "$project/models/m31r-1m"

# Over HTTP: the same list, and pulls of its ids alone.
"$pintle" up --port 0 --no-shipped --no-speech --model "$scratch/good.gguf" >"$scratch/up" 2>"$scratch/up.err" </dev/null &
up=$!
trap 'kill $server $up 2>/dev/null || true; wait $up 2>/dev/null || true; rm -rf "$scratch"' EXIT
for _ in $(seq 200); do [ -s "$scratch/up" ] && break || sleep 0.05; done
address=$(head -n 1 "$scratch/up")
pull() { curl -s -o "$scratch/out" -w '%{http_code}' --max-time 20 "$address/v1/catalogue/pull" -d "$1"; }
[ "$(pull '{"id":"good.gguf"}')" = 404 ] || fail "an id that is not in the catalogue"
[ "$(pull "{\"id\":\"$HF_ENDPOINT/x/good.gguf\"}")" = 404 ] || fail "an address"
[ "$(pull '{"url":"x"}')" = 400 ] || fail "a body without an id"
[ "$(pull '{"id":"qwen3-0.6b"}')" = 202 ] || fail "an id of the catalogue"
for _ in $(seq 100); do
  expect 0 curl -s "$address/v1/catalogue"
  grep -q problem "$scratch/out" && break || sleep 0.1
done
prints '{"id":"qwen3-0.6b","name":"Qwen3 0.6B","size_bytes":639446688,'
prints '"state":"absent","progress":0.0000,"problem":"the server answers 404"'

# What was pulled is served, and what is pulled while it runs; a name that somebody else has is not given twice.
served() { for _ in $(seq 200); do curl -sf "$address/v1/models/$1" >"$scratch/out" && return 0 || sleep 0.1; done; fail "$1 is not served"; }
served gated
prints '"state":"unloaded"'
prints '"capabilities":["completion","chat"]'
expect 0 "$pintle" pull hf:owner/name/late-good.gguf
served late-good
talk='{"model":"late-good","messages":[{"role":"user","content":"x"}],"max_tokens":2}'
expect 0 curl -sf --max-time 60 "$address/v1/chat/completions" -d "$talk"
prints '"finish_reason"'
grep -q "another model is served by the name 'good'" "$scratch/up.err" || fail "one name for two models"
kill "$up"
wait "$up" || fail "the exit status of up is $?"
"$pintle" up --port 0 --no-shipped --no-speech --no-puzzles --single >"$scratch/up" 2>"$scratch/up.err" </dev/null &
up=$!
for _ in $(seq 100); do [ -s "$scratch/up" ] && break || sleep 0.1; done
address=$(head -n 1 "$scratch/up")
served late-good
expect 0 curl -sf --max-time 60 "$address/v1/chat/completions" -d "$talk"
expect 1 "$pintle" up --no-shipped --no-pulled --no-speech
says "there is no model to serve"

# A folder as the hub has them is used as a file is: ours without its own key is one.
mkdir "$scratch/hub"
cp "$project/models/m31r-1m/model.safetensors" "$project/models/m31r-1m/tokenizer.json" "$scratch/hub"
sed -z -E 's/,\s*"pintle": \{[^}]*\}//' "$project/models/m31r-1m/config.json" >"$scratch/hub/config.json"
expect 0 "$pintle" m31r export --model "$project/models/m31r-1m" --format gguf --type bf16 --out "$scratch/export"
expect 0 "$pintle" complete "$scratch/export/m31r-1m-bf16.gguf" --ids 5,600,7,8 --logits "$scratch/a"
expect 0 "$pintle" complete "$scratch/hub" --ids 5,600,7,8 --logits "$scratch/b"
cmp "$scratch/a" "$scratch/b" || fail "a folder and its GGUF file differ"
expect 0 "$pintle" show "$scratch/hub" --json
[ "$(json origin)" = external ] || fail "the folder's origin is $(json origin)"
expect 0 "$pintle" show "$scratch/export/m31r-1m-bf16.gguf" --json
[ "$(json origin)" = internal ] || fail "our own export's origin is $(json origin)"
expect 0 "$pintle" verify "$scratch/hub"
expect 0 "$pintle" quantize "$scratch/hub" "$scratch/hub.gguf" --type q8_0
expect 0 "$pintle" show "$scratch/hub.gguf"
rm "$scratch/hub/tokenizer.json"
expect 3 "$pintle" show "$scratch/hub"
