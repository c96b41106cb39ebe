#!/usr/bin/env bash
# Nothing speaks to a network but crawl and pull, which are told to: the pipeline runs where there is no network at all, and
# nothing outside the one file for downloads, the servers and the sandbox knows how to open a socket.
. "$(dirname "$0")/lib.sh"
source=$project/src/corpus/testdata/mini
small=(--set tokenizer.vocab_size=600 --set train.steps=4 --set train.batch=2 --set train.time=64 --set train.eval_batches=2
  --set train.sample_interval=2 --set train.sample_tokens=4 --threads 1)

calls='\b(socket|socketpair|connect|bind|listen|accept4?|getaddrinfo|gethostbyname|sendto|recvfrom|curl_easy_[a-z]+) *\('
(cd "$project/src" && grep -rlE "$calls" --include='*.cc' --include='*.h' .) | sort >"$scratch/found"
grep -vE '^\./(net/(transfer\.cc|test_server\.h)|corpus/[a-z_]+_test\.cc|evaluate/(hostile_main|sandbox[a-z_]*|soundness)\.cc|serve/.*)$' "$scratch/found" &&
  fail "these open sockets, and should not"
grep -qx './net/transfer.cc' "$scratch/found" || fail "the search finds nothing"

isolate=(unshare -n)
"${isolate[@]}" true 2>/dev/null || isolate=(unshare -rn)
if ! "${isolate[@]}" true 2>/dev/null; then
  echo "skipped: this machine lets nobody make a network namespace (unshare -n, unshare -rn)"
  exit 0
fi
expect 0 "${isolate[@]}" "$pintle" m31r run --preset demo --source "$source" --work "$scratch/work" "${small[@]}" --json
weights=$(json weights)
expect 0 "${isolate[@]}" "$pintle" m31r eval --work "$scratch/work" --json
expect 0 "${isolate[@]}" "$pintle" m31r generate --model "$scratch/work/run/model" --prompt 'fn ' --max-tokens 4
expect 0 "${isolate[@]}" "$pintle" m31r report "$scratch/work"
expect 0 "${isolate[@]}" "$pintle" m31r verify "$scratch/work"
expect 0 "$pintle" m31r run --preset demo --source "$source" --work "$scratch/again" "${small[@]}" --json
[ "$(json weights)" = "$weights" ] || fail "the network shows in the weights"
