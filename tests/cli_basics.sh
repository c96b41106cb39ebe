#!/usr/bin/env bash
# Every verb has help; usage errors are 1 with a suggestion; golden error texts.
. "$(dirname "$0")/lib.sh"

expect 0 "$pintle" --version
prints "pintle 0."
expect 0 "$pintle" --help
prints "m31r"
expect 1 "$pintle"
says "Usage: pintle [OPTIONS]"
expect 1 "$pintle" m31r
says "Usage: pintle m31r [OPTIONS]"
expect 1 "$pintle" m31r tokenizer
says "Usage: pintle m31r tokenizer [OPTIONS]"
for verb in run crawl filter why dataset trace tokenizer shard train resume eval benchmark report generate export parity verify info \
  clean reproduce; do
  expect 0 "$pintle" m31r $verb --help
  prints "Usage: pintle m31r $verb"
done
for verb in "bench kernels" "bench train" config demo; do
  # shellcheck disable=SC2086
  expect 0 "$pintle" $verb --help
  prints "Usage: pintle $verb"
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

# A value is taken as it is: no comma and no bracket splits it.
for value in a,b.jsonl '[a,b].jsonl' ,; do
  expect 3 "$pintle" m31r eval --model "$project/models/m31r-1m" --tasks "$value"
  says "  --> $value"
done
expect 1 "$pintle" m31r reproduce nosuch --work "$scratch/w"
says "'nosuch'"
says "hint: "

# Logs as JSON lines; data stays on stdout. The log file holds the same lines, appended.
expect 3 "$pintle" --log-format json --log-file "$scratch/log" m31r info "$scratch/nowhere"
line='^\{"ts":"20[0-9-]{8}T[0-9:]{8}Z","level":"(debug|info|warning|error)","module":"[a-z]+","msg":".*"'
tail='(,"code":[1-4],"where":".*","hint":".*")?\}$'
grep -qE "$line,\"code\":3" "$scratch/err" || fail "no JSON error line"
cmp "$scratch/err" "$scratch/log" || fail "the log file differs from stderr"
[ ! -s "$scratch/out" ] || fail "an error wrote to stdout"
expect 0 "$pintle" --log-file "$scratch/log" m31r crawl --source "$project/src/corpus/testdata/mini" --work "$scratch/w"
expect 3 "$pintle" --log-file "$scratch/log" m31r info "$scratch/nowhere"
says "error: no such folder"
[ "$(wc -l <"$scratch/log")" -ge 2 ] || fail "the log file was not appended to"
grep -vE "$line$tail" "$scratch/log" && fail "lines out of the schema"
expect 3 "$pintle" --log-file "$scratch/none/log" m31r info .
says "$scratch/none/log"

# A full disk behind stdout is an error like any other, however much is printed.
got=0
"$pintle" config >/dev/full 2>"$scratch/err" || got=$?
[ $got -eq 3 ] || fail "a full disk behind stdout ends with $got"
says "error: "

# A program without the files that come with it says so, and does not blame the preset.
cp "$pintle" "$scratch/alone"
expect 3 env -u PINTLE_DATA "$scratch/alone" m31r run --preset demo --source "$scratch" --work "$scratch/w"
says "PINTLE_DATA"

# A measurement says what other programs expect, and ends at a Ctrl-C.
expect 0 "$pintle" bench train --preset m31r-1m --dtype fp32 --batch 1 --time 64 --steps 1 --json
for key in tokens_per_s gflops percent_of_peak; do [ -n "$(json $key)" ] || fail "bench train lacks $key"; done
expect 0 "$pintle" bench kernels --quick --threads 1 --json
for key in fp32_gflops bf16_gflops read_gb_s; do [ -n "$(json $key)" ] || fail "bench kernels lacks $key"; done
row='\{"op":"(NN|NT|TN)","dtype":"(fp32|bf16)","m":[0-9]+,"n":[0-9]+,"k":[0-9]+,"threads":1,"gflops":[0-9.E+-]+,"percent_of_peak":[0-9.E+-]+\}'
[ "$(grep -oE "$row" "$scratch/out" | wc -l)" -eq 84 ] || fail "bench kernels lacks rows: 14 shapes, 3 ways, 2 types"
for verb in "bench kernels" "bench train --steps 1000"; do
  # shellcheck disable=SC2086
  "$pintle" $verb >"$scratch/out" 2>"$scratch/err" &
  job=$! got=0
  sleep 1
  kill -INT $job
  wait $job || got=$?
  [ $got -eq 3 ] || fail "an interrupted $verb ended with $got"
done

# m31r and trm are names of the program.
ln -s "$pintle" "$scratch/m31r"
expect 0 "$scratch/m31r" crawl --help
prints "--source"
