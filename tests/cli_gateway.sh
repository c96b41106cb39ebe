#!/usr/bin/env bash
# The gateway in front of real nodes, and `pintle up`: routing, the same bytes with and without the gateway, a killed node,
# hostile requests, reload, signals, no orphans.
. "$(dirname "$0")/lib.sh"
shipped=$project/models/m31r-1m
export XDG_DATA_HOME=$scratch/data
children=()
cleanup() {
  for child in "${children[@]}"; do kill -9 "$child" 2>/dev/null || true; done
  rm -rf "$scratch"
}
trap cleanup EXIT

# start NAME COMMAND...: in the background; $scratch/NAME.out gets its stdout, $pid its process, $address its address.
start() {
  local name=$1
  shift
  "$@" >"$scratch/$name.out" 2>"$scratch/$name.err" </dev/null &
  pid=$!
  children+=("$pid")
  wait_for "the address of $name" test -s "$scratch/$name.out"
  address=$(head -n 1 "$scratch/$name.out")
}
# wait_for WHAT COMMAND...: until the command succeeds, 20 s at most.
wait_for() {
  local what=$1
  shift
  for _ in $(seq 400); do
    "$@" >"$scratch/waited" 2>&1 && return 0
    sleep 0.05
  done
  cat "$scratch/waited" >&2
  fail "waited in vain: $what"
}
# ask ADDRESS PATH [CURL OPTIONS]: body in $scratch/body, header in $scratch/head, status in $status.
ask() {
  local url=$1$2
  shift 2
  status=$(curl -s -S --max-time 60 -o "$scratch/body" -D "$scratch/head" -w '%{http_code}' "$@" "$url" 2>"$scratch/err") || status=$status
}
# raw TEXT: says exactly these bytes to the gateway; what comes back in $scratch/body.
raw() {
  exec 3<>"/dev/tcp/127.0.0.1/$port"
  printf '%b' "$1" >&3
  timeout 10 cat <&3 >"$scratch/body" || true
  exec 3>&-
}
# gone PID: it has ended; a dead process that nobody has collected yet counts as ended.
gone() { [ ! -d "/proc/$1" ] || grep -q '^State:.Z' "/proc/$1/status"; }
holds() { grep -qF -- "$1" "$scratch/body" || { head -c 2000 "$scratch/body" >&2; fail "the answer lacks: $1"; }; }
status_is() { [ "$status" = "$1" ] || { cat "$scratch/err" "$scratch/body" >&2; fail "status $status, not $1"; }; }
# What the answer says, without ids and times.
choices() { grep -o '"choices":.*' "$scratch/body" | sed -E 's/"(usage|timings|created)":.*//'; }

# Command line.
expect 0 "$pintle" gateway --help
expect 0 "$pintle" up --help
expect 0 "$pintle" trm-node --help
expect 0 "$pintle" trm-node --dry-run
expect 4 "$pintle" trm-node --model "$project/models/m31r-1m" --port 0
expect 1 "$pintle" gateway
says "configs/gateway.toml"
expect 0 "$pintle" gateway --config "$project/configs/gateway.toml" --dry-run
expect 1 "$pintle" gateway --config "$project/configs/gateway.toml" --port 70000
expect 2 "$pintle" gateway --config "$project/configs/gateway.toml" --address 0.0.0.0 --port 0
says "--api-keys"
printf '[[node]]\nurl = "http://127.0.0.1:1"\nmodel = ["x"]\n' >"$scratch/bad.toml"
expect 2 "$pintle" gateway --config "$scratch/bad.toml"
says "did you mean 'models'"
expect 1 "$pintle" up --model "$scratch/nowhere.gguf" --port 0
expect 0 "$pintle" up --dry-run
says "model m31r-1m"
says "model m31r-6m"

# What it adds is measured over real sockets.
expect 0 "$pintle" bench gateway --seconds 0.3 --connections 8 --json
prints '"added_event_p50_ms":'
[ "$(grep -o '"failed":0' "$scratch/out" | wc -l)" -ge 2 ] || fail "requests failed: $(cat "$scratch/out")"
grep -qE '"events":[1-9]' "$scratch/out" || fail "no events came: $(cat "$scratch/out")"

# Two real nodes of one model.
start node_a "$pintle" llm-node --model "$shipped" --port 0
node_a=$address pid_a=$pid
start node_b "$pintle" llm-node --model "$shipped" --port 0
node_b=$address pid_b=$pid
printf '[gateway]\nhealth_seconds = 0.2\n[[node]]\nname = "a"\nurl = "%s"\n[[node]]\nname = "b"\nurl = "%s"\n' \
  "$node_a" "$node_b" >"$scratch/table.toml"
start gateway "$pintle" gateway --config "$scratch/table.toml" --port 0
gateway=$address pid_gateway=$pid port=${address##*:}
both_ready() { curl -s "$gateway/metrics" | grep -c 'node_up{node="."} 1' | grep -qx 2; }
wait_for "both nodes ready" both_ready
expect 3 "$pintle" gateway --config "$scratch/table.toml" --port "$port"
says "in use"

ask "$gateway" /v1/models
status_is 200
holds '"id":"m31r-1m"'
[ "$(grep -o '"id":' "$scratch/body" | wc -l)" = 1 ] || fail "a model of two nodes is listed twice"

# The same bytes with and without the gateway, streamed or not.
body='{"model":"m31r-1m","prompt":"pub fn ","max_tokens":16,"temperature":0.7,"seed":7}'
ask "$node_a" /v1/completions -d "$body" -H 'content-type: application/json'
status_is 200
choices >"$scratch/direct"
[ -s "$scratch/direct" ] || fail "the node gave no choices"
for _ in 1 2 3; do
  ask "$gateway" /v1/completions -d "$body" -H 'content-type: application/json' -H 'x-request-id: mine-1'
  status_is 200
  grep -qi '^x-request-id: mine-1' "$scratch/head" || fail "the request id did not come back"
  choices | cmp - "$scratch/direct" || fail "the gateway changed the answer"
done
ask "$gateway" /v1/completions -N -d "${body%\}},\"stream\":true}" -H 'content-type: application/json'
status_is 200
holds 'data: [DONE]'
grep -q '"id":"mine-1"' "$scratch/gateway.err" || fail "the access log lacks the request id"
if grep -q 'pub fn' "$scratch/gateway.err"; then fail "the access log holds a prompt"; fi

# What clients do wrong, and what enemies try. The gateway stays up through all of it.
ask "$gateway" /v1/completions -d '{"model":"gpt-4","prompt":"x"}'
status_is 404
holds model_not_found
ask "$gateway" /v1/completions -d '{"model":"m31r-1m","model":"gpt-4"}'
status_is 400
ask "$gateway" /v1/completions -d "{\"model\":\"m31r-1m\",\"x\":$(printf '[%.0s' $(seq 100000))}"
status_is 400
ask "$gateway" /v1/embeddings -d '{}'
status_is 404
ask "$gateway" /v1/completions
status_is 405
grep -qi '^allow: POST' "$scratch/head" || fail "405 without Allow"
head -c 9000000 /dev/zero >"$scratch/large"
ask "$gateway" /v1/completions --data-binary "@$scratch/large"
status_is 413
ask "$gateway" /v1/models -H 'host: evil.example'
status_is 403
ask "$gateway" /v1/models -H 'origin: https://evil.example'
status_is 403
ask "$gateway" /v1/completions -X OPTIONS -H 'origin: http://localhost:3000' -H 'access-control-request-method: POST'
status_is 204
grep -qi '^access-control-allow-origin: http://localhost:3000' "$scratch/head" || fail "no CORS fields"
raw 'POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'
holds '400 Bad Request'
raw '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n'
holds '400 Bad Request'
raw "GET /$(printf 'a%.0s' $(seq 40000)) HTTP/1.1\r\n\r\n"
holds '431'
raw 'GET /../../etc/passwd HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'
holds '404'
raw 'GET /health HTTP/1.1\r\nHost: localhost\r\n\r\nGET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'
[ "$(grep -c '"status":"ok"' "$scratch/body")" = 2 ] || fail "two pipelined requests have not two answers"

# A node dies: its share goes to the other one, and nothing else changes.
kill -9 "$pid_b"
for i in 1 2 3 4 5 6; do
  ask "$gateway" /v1/completions -d "{\"model\":\"m31r-1m\",\"prompt\":\"fn f$i\",\"max_tokens\":2}"
  status_is 200
done
one_ready() { curl -s "$gateway/metrics" | grep -q 'node_up{node="b"} 0'; }
wait_for "the gateway to notice" one_ready
kill -9 "$pid_a"
wait_for "the gateway to notice" bash -c "! curl -sf $gateway/ready"
ask "$gateway" /v1/completions -d "$body"
status_is 503
grep -qi '^retry-after:' "$scratch/head" || fail "503 without Retry-After"

# Reload: a wrong table changes nothing, a right one counts at once.
start node_c "$pintle" llm-node --model "$shipped=other" --port 0
printf 'nonsense' >"$scratch/table.toml"
kill -HUP "$pid_gateway"
wait_for "the refusal" grep -q 'stays as it was' "$scratch/gateway.err"
printf '[gateway]\nhealth_seconds = 0.2\n[[node]]\nname = "c"\nurl = "%s"\n' "$address" >"$scratch/table.toml"
kill -HUP "$pid_gateway"
wait_for "the new node" curl -sf "$gateway/v1/models/other"
kill -TERM "$pid_gateway"
wait "$pid_gateway" || fail "the gateway's exit status after SIGTERM is $?"

# TLS from a certificate.
if command -v openssl >/dev/null; then
  openssl req -x509 -newkey rsa:2048 -nodes -keyout "$scratch/key.pem" -out "$scratch/cert.pem" -days 2 -subj /CN=localhost \
    -addext subjectAltName=IP:127.0.0.1 2>"$scratch/err" || fail "openssl made no certificate"
  start tls "$pintle" gateway --config "$project/configs/gateway.toml" --port 0 --tls-certificate "$scratch/cert.pem" \
    --tls-key "$scratch/key.pem"
  ask "$address" /health --cacert "$scratch/cert.pem"
  status_is 200
  kill -TERM "$pid"
  wait "$pid" || fail "the exit status of the gateway with TLS after SIGTERM is $?"
fi

# up: the address at once, a crashed node comes back, SIGTERM leaves nothing behind.
began=$(date +%s%N)
start up "$pintle" up --port 0 --no-shipped --model "$shipped"
echo "the address came after $((($(date +%s%N) - began) / 1000000)) ms"
up=$address pid_up=$pid
node_up() { curl -sf "$up/metrics" | grep -qF "node_up{node=\"$1\"} 1"; }
wait_for "the shipped model" node_up m31r-1m
ask "$up" /infill -d '{"input_prefix":"fn main() {","input_suffix":"}","n_predict":2}'
status_is 200
wait_for "the voice" node_up speech
ask "$up" /v1/audio/speech -d '{"model":"tts-1","input":"Hello there.","voice":"alloy","response_format":"wav"}'
status_is 200
[ "$(head -c 4 "$scratch/body")" = RIFF ] || fail "the speech is no WAV file"
ask "$up" /v1/audio/voices
status_is 200
wait_for "the puzzles" node_up puzzles
ask "$up" /v1/trm/solve -d '{"model":"sudoku4","puzzle":"....4.21...4..32","trace":true}'
status_is 200
holds '"checked":true'
sed -E 's/,"timings".*//' "$scratch/body" >"$scratch/solved"
ask "$up" /v1/trm/solve -d '{"model":"sudoku4","puzzle":"1"}'
status_is 400
holds '"param":"puzzle"'
# Resident memory besides models.
resident() { sed -nE "s/^process_resident_memory_bytes$1 ([0-9]+)\$/\1/p" "$scratch/body"; }
at_most() { echo "$1: $(($2 / 1000000)) MB"; [ "$2" -gt 1000000 ] && [ "$2" -le "$3" ] || fail "$1 has $2 bytes in memory"; }
ask "$up" /metrics
at_most gateway "$(resident '')" 40000000
ask "$up" '/metrics?nodes=all'
models=$(sed -nE 's/^pintle_model_memory_bytes\{node="m31r-1m",.*\} ([0-9]+)$/\1/p' "$scratch/body")
at_most "a node with a model of $((models / 1000000)) MB" "$(resident '\{node="m31r-1m"\}')" $((models + 150000000))
at_most "a node without" "$(resident '\{node="pulled"\}')" 150000000
at_most "the voice" "$(resident '\{node="speech"\}')" 60000000
ask "$up" '/metrics?model=m31r%2D1m'
holds 'pintle_completion_tokens_total{node="m31r-1m",model="m31r-1m"}'
if grep -q 'node="speech"' "$scratch/body"; then fail "figures of a node that does not serve the model"; fi
ask "$up" '/metrics?model=none'
status_is 404
node_of() { pgrep -P "$pid_up" -f 'llm-node --model' | head -n 1; }
first=$(node_of)
[ -n "$first" ] || fail "there is no child node"
kill -9 "$first"
came_back() { local now; now=$(node_of) && [ -n "$now" ] && [ "$now" != "$first" ] && node_up m31r-1m; }
wait_for "the node to come back" came_back
ask "$up" /v1/completions -d "$body"
status_is 200
choices | cmp - "$scratch/direct" || fail "another answer after the restart"
second=$(node_of)
sockets() { readlink /proc/"$1"/fd/* | grep '^socket' | sort -u; }
[ -z "$(comm -12 <(sockets "$pid_up") <(sockets "$second"))" ] || fail "a node holds sockets of the gateway"
kill -TERM "$pid_up"
wait "$pid_up" || fail "the exit status of up after SIGTERM is $?"
gone "$second" || fail "a node outlived its parent"
# All in one process: the same answers, and nobody beside it.
start single "$pintle" up --port 0 --no-shipped --model "$shipped" --single
single=$address pid_single=$pid
up=$address
wait_for "the shipped model" node_up m31r-1m
ask "$single" /v1/completions -d "$body"
status_is 200
choices | cmp - "$scratch/direct" || fail "another answer in one process"
ask "$single" /v1/completions -N -d "${body%\}},\"stream\":true}"
holds 'data: [DONE]'
wait_for "the voice" node_up speech
ask "$single" /v1/audio/speech -d '{"model":"tts-1","input":"Hello there.","voice":"alloy","response_format":"wav"}'
status_is 200
ask "$single" /v1/audio/voices
status_is 200
wait_for "the puzzles" node_up puzzles
ask "$single" /v1/trm/solve -d '{"model":"sudoku4","puzzle":"....4.21...4..32","trace":true}'
sed -E 's/,"timings".*//' "$scratch/body" | cmp - "$scratch/solved" || fail "another solution in one process"
[ -z "$(pgrep -P "$pid_single")" ] || fail "--single has children"
kill -TERM "$pid_single"
wait "$pid_single" || fail "the exit status of up --single after SIGTERM is $?"

# Even when the parent has no time to say anything.
start up_again "$pintle" up --port 0 --no-shipped --model "$shipped"
pid_up=$pid
up=$address
wait_for "the shipped model" node_up m31r-1m
third=$(node_of)
kill -9 "$pid_up"
wait_for "the orphan to end" gone "$third"
echo "ok"
