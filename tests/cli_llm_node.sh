#!/usr/bin/env bash
# A real node on a free loopback port, asked with curl: models, completions, streams, infill as editors send it, errors,
# metrics, and an orderly end. The text is that of `pintle m31r generate`.
. "$(dirname "$0")/lib.sh"
shipped=$project/models/m31r-1m
expect 0 "$pintle" models synth --arch tiny-qwen3 --type q8_0 --out "$scratch/tiny.gguf"
expect 0 "$pintle" m31r generate --model "$shipped" --prompt 'pub fn ' --max-tokens 24
cp "$scratch/out" "$scratch/text"

node=
start() {
  "$pintle" llm-node --port 0 "$@" >"$scratch/address" 2>"$scratch/log" &
  node=$!
  for _ in $(seq 200); do
    [ -s "$scratch/address" ] && break
    kill -0 $node 2>/dev/null || { cat "$scratch/log" >&2; fail "the node ended"; }
    sleep 0.05
  done
  url=$(cat "$scratch/address")
  for _ in $(seq 200); do curl -sf "$url/ready" >/dev/null && return; sleep 0.05; done
  fail "the node is not ready"
}
trap 'kill $node 2>/dev/null || true; rm -rf "$scratch"' EXIT

# ask STATUS PATH [BODY]: the answer lands in $scratch/out, its headers in $scratch/headers.
ask() {
  local got
  got=$(curl -s -o "$scratch/out" -D "$scratch/headers" -w '%{http_code}' "$url$2" ${3:+--data-binary "$3"})
  [ "$got" = "$1" ] || { cat "$scratch/out" >&2; fail "status $got, not $1: $2"; }
}
header() { grep -qi -- "^$1" "$scratch/headers" || { cat "$scratch/headers" >&2; fail "no header $1"; }; }
text() { sed -nE 's/.*"(text|content)":"(([^"\\]|\\.)*)".*/\2/p' "$scratch/out" | head -n 1; }
fingerprint() { sed -nE 's/.*"reproducibility":"([0-9a-f]+)".*/\1/p' "$scratch/out"; }

start --model "$shipped" --model "$scratch/tiny.gguf=chat" --context 256 --slots 4
ask 200 /v1/models
prints '"id":"m31r-1m"'
prints '"id":"chat"'
ask 200 /v1/models/m31r-1m
prints '"context_window":512'
prints '"origin":"internal"'

# The command line's text; the same from a stream.
body='{"model":"m31r-1m","prompt":"pub fn ","max_tokens":24,"temperature":0'
ask 200 /v1/completions "$body}"
[ "$(printf '%b' "$(text)")" = "$(cat "$scratch/text")" ] || fail "another text than m31r generate: $(text)"
whole=$(text)
hash=$(fingerprint)
ask 200 /v1/completions "$body,\"stream\":true}"
header 'content-type: text/event-stream'
prints 'data: [DONE]'
streamed=$(sed -nE 's/.*"text":"(([^"\\]|\\.)*)".*/\1/p' "$scratch/out" | tr -d '\n')
[ "$streamed" = "$whole" ] || fail "streamed: $streamed"

# Eight at once give the bytes of one.
choice() { sed -E 's/.*"choices":(.*),"usage".*/\1/'; }
chat='{"model":"chat","messages":[{"role":"user","content":"hello"}],"max_tokens":16,"seed":5,"logprobs":true}'
ask 200 /v1/chat/completions "$chat"
choice <"$scratch/out" >"$scratch/one"
pids=()
for i in 1 2 3 4 5 6 7 8; do
  curl -s "$url/v1/chat/completions" --data-binary "$chat" >"$scratch/many$i" & pids+=($!)
done
wait "${pids[@]}"
for i in 1 2 3 4 5 6 7 8; do choice <"$scratch/many$i" | cmp - "$scratch/one" || fail "answer $i of 8 differs"; done

# Editors: llama.vim's request, and what does not fit.
ask 200 /infill '{"id_slot":0,"input_prefix":"fn main() {\n","input_suffix":"}\n","prompt":"    ","n_predict":8,"top_k":40,
  "top_p":0.99,"input_extra":[],"stream":false,"samplers":["top_k","top_p","infill"],"cache_prompt":true,
  "t_max_prompt_ms":500,"t_max_predict_ms":3000,"response_fields":["content","timings/prompt_n","truncated"]}'
prints '"timings/prompt_n":'
header 'x-pintle-ignored: id_slot, '
long=$(printf 'let x = 1; %.0s' $(seq 500))
ask 200 /infill "{\"input_prefix\":\"$long\",\"input_suffix\":\"}\",\"n_predict\":2}"
prints '"truncated":true'
header 'x-pintle-truncated: '
for alias in '/completion {"prompt":"fn "' '/generate {"prompt":"fn "' '/fim {"prefix":"fn a() {","suffix":"}"'; do
  ask 200 "${alias%% *}" "${alias#* },\"n_predict\":2}"
  prints '"stop":true'
done

# What a client does wrong.
ask 400 /v1/completions "{\"model\":\"m31r-1m\",\"prompt\":\"$long\"}"
prints '"code":"context_length_exceeded"'
ask 400 /v1/chat/completions '{"model":"m31r-1m","messages":[{"role":"user","content":"hi"}]}'
prints '"code":"model_not_chat"'
ask 404 /v1/chat/completions '{"model":"gpt","messages":[{"role":"user","content":"hi"}]}'
prints '"code":"model_not_found"'
ask 400 /v1/completions '{"model":"m31r-1m","prompt":"x","temperature":3}'
prints '"param":"temperature"'
ask 400 /completion '{"prompt":"x","typical_p":2}'
prints '"param":"typical_p"'
ask 400 /v1/completions "$(printf '[%.0s' $(seq 100))"
prints '"code":"invalid_json"'
ask 404 /v1/embeddings '{}'
ask 405 /v1/completions
header 'allow: POST'

ask 200 /metrics
prints 'pintle_requests_total{route="/infill",status="200"}'
prints 'pintle_first_token_seconds_count{model="m31r-1m"}'
ask 200 /status
prints '"status":"ready"'
ask 200 /v1/models/unload '{"model":"chat"}'
prints '"state":"unloaded"'
ask 200 /v1/chat/completions "$chat"
choice <"$scratch/out" | cmp - "$scratch/one" || fail "another answer after the model came back"

# The same by the command line; a key comes from the environment.
expect 0 "$pintle" models unload chat --url "$url"
prints 'chat is unloaded'
expect 0 "$pintle" models load chat --url "$url/" --pin --json
prints '"pinned":true'
expect 3 "$pintle" models load gpt --url "$url"
says "there is no model 'gpt'"
expect 3 "$pintle" models load chat --url http://127.0.0.1:1
says 'pintle up starts a stack'
expect 1 "$pintle" models unload

# A file with a template of its own, keys and values in q8: the same prompt and text with and without a server.
cat >"$scratch/template" <<'EOF'
{%- for message in messages %}{{- '<|turn|>' + message.role + '\n' + message.content + '<|end|>\n' }}{%- endfor %}
{{- '<|turn|>assistant\n' }}
EOF
expect 0 "$pintle" models synth --arch tiny-llama --type q8_0 --chat-template "$scratch/template" --out "$scratch/own.gguf"
expect 0 "$pintle" show "$scratch/own.gguf" --prompt 'a <|end|> b'
prints "the file's template"
prints '<|turn|>user\na <|end|> b<|end|>\n<|turn|>assistant\n'
expect 0 "$pintle" chat "$scratch/own.gguf" --max-tokens 12 --temperature 0 --kv q8 'hello there'
cp "$scratch/out" "$scratch/text"
kill -TERM $node
wait $node || fail "the node ended with $?"
start --model "$scratch/own.gguf=own" --model "$shipped" --context 256 --kv q8
ask 200 /v1/chat/completions '{"model":"own","messages":[{"role":"user","content":"hello there"}],"max_tokens":12,"temperature":0}'
[ "$(printf '%b' "$(text)")" = "$(cat "$scratch/text")" ] || fail "another text than pintle chat: $(text)"
ask 200 /v1/completions "$body}"
[ -n "$hash" ] && [ "$(fingerprint)" != "$hash" ] || fail "the type of keys and values is not part of the hash"

# SIGTERM lets what is under way end.
curl -s "$url/v1/completions" --data-binary "$body}" >"$scratch/last" & last=$!
sleep 0.1
kill -TERM $node
wait $node || fail "the node ended with $?"
wait $last || true
expect 1 "$pintle" llm-node --model "$shipped" --kv q4 --port 0
says "keys and values are kept as f32, f16 or q8, not 'q4'"
expect 2 "$pintle" llm-node --model "$shipped" --address 0.0.0.0 --port 0
expect 3 "$pintle" llm-node --model "$scratch/nowhere.gguf" --port 0
expect 1 "$pintle" llm-node --port 0
says "give --model FILE.gguf or --folder FOLDER"
expect 1 "$pintle" llm-node --model "$shipped" --model "$shipped" --port 0
says 'two models have the name'
expect 0 "$pintle" llm-node --help
