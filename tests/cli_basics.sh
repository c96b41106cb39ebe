#!/usr/bin/env bash
# Every verb has help; usage errors are 1 with a suggestion; golden error texts.
. "$(dirname "$0")/lib.sh"

expect 0 "$pintle" --version
prints "pintle 0."
expect 0 "$pintle" --help
prints "m31r"
expect 1 "$pintle"
expect 1 "$pintle" m31r
for verb in run crawl filter why dataset trace tokenizer shard train resume eval report generate export parity verify info \
  clean reproduce; do
  expect 0 "$pintle" m31r $verb --help
  prints "Usage:"
done
for verb in "bench kernels" "bench train" config demo; do
  # shellcheck disable=SC2086
  expect 0 "$pintle" $verb --help
  prints "Usage:"
done

expect 1 "$pintle" m31r crwl
diff - "$scratch/err" <<'T' || fail "text of an unknown verb"
error: unknown verb 'crwl'
  --> pintle m31r
hint: did you mean 'crawl'?
T
expect 1 "$pintle" m31r crawl --sorce x
diff - "$scratch/err" <<'T' || fail "text of an unknown option"
error: unknown option '--sorce'
  --> pintle m31r crawl
hint: did you mean '--source'?
T
expect 1 "$pintle" m31r crawl --work "$scratch/w"
says "--source is required"
expect 1 "$pintle" --threads many m31r info .
expect 1 "$pintle" --log-level loud m31r info .
says "unknown log level 'loud'"

# Logs as JSON lines; data stays on stdout.
expect 3 "$pintle" --log-format json m31r info "$scratch/nowhere"
grep -q '"level":"error"' "$scratch/err" || fail "no JSON error line"
[ ! -s "$scratch/out" ] || fail "an error wrote to stdout"

# m31r and trm are names of the program.
ln -s "$pintle" "$scratch/m31r"
expect 0 "$scratch/m31r" crawl --help
prints "--source"
