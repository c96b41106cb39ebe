#!/usr/bin/env bash
# The page as the gateway serves it: types, compression, caching, policy; open to all while the API wants a key.
. "$(dirname "$0")/lib.sh"
printf '0123456789abcdef-a-key\n' >"$scratch/keys"
"$pintle" gateway --config "$project/configs/gateway.toml" --port 0 --api-keys "$scratch/keys" --no-access-log >"$scratch/address" 2>"$scratch/log" &
gateway=$!
trap 'kill $gateway 2>/dev/null || true; rm -rf "$scratch"' EXIT
for _ in $(seq 200); do [ -s "$scratch/address" ] && break || sleep 0.05; done
address=$(cat "$scratch/address")

# ask PATH [CURL OPTIONS]: body and head in $scratch.
ask() {
  local path=$1
  shift
  : >"$scratch/body"
  curl -s -S --max-time 20 -o "$scratch/body" -D "$scratch/head" "$@" "$address$path" || fail "no answer for $path"
}
head_has() { grep -qiE "^$1"$'\r?$' "$scratch/head" || { cat "$scratch/head" >&2; fail "the head lacks: $1"; }; }

ask /
head_has 'HTTP/1.1 200 OK'
head_has 'content-type: text/html; charset=utf-8'
head_has "content-security-policy: default-src 'none'; script-src 'self'; .*"
cmp "$scratch/body" "$project/web/dist/index.html" || fail "the page is not web/dist"
for file in $(cd "$project/web/dist" && find . -type f | sed 's|^\.||'); do
  ask "$file" --compressed
  head_has 'content-encoding: gzip'
  cmp "$scratch/body" "$project/web/dist$file" || fail "$file is not that of web/dist"
done
ask /icon.svg
etag=$(sed -nE 's/^etag: (.*)\r$/\1/p' "$scratch/head")
ask /icon.svg -H "if-none-match: $etag"
head_has 'HTTP/1.1 304 Not Modified'
[ "$(wc -c <"$scratch/body")" = 0 ] || fail "304 with a body"
ask / -X POST -d x
head_has 'HTTP/1.1 405 .*'
ask /assets/../../etc/passwd --path-as-is
head_has 'HTTP/1.1 4.*'
ask /v1/models
head_has 'HTTP/1.1 401 Unauthorized'
ask /v1/models -H 'authorization: Bearer 0123456789abcdef-a-key'
head_has 'HTTP/1.1 200 OK'

# What the page says of a model by name, once it is here, is true of one that is not: up knows it, and fetches nothing.
XDG_DATA_HOME=$scratch/data expect 3 "$pintle" up --model qwen3-8b --dry-run
says "pintle pull qwen3-8b"
echo "ok"
