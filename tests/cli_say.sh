#!/usr/bin/env bash
# Speech by the command line: every format in a file and as a stream, the same bytes each time, hostile texts, damaged flags; and a
# node that speaks.
. "$(dirname "$0")/lib.sh"
text='Dr. Smith paid $5.50 on March 15, 2024. Is that so?'

# field FILE OFFSET BYTES: a little-endian number.
field() { od -An -t "u$3" -j "$2" -N "$3" --endian=little "$1" | tr -d ' '; }
# begins FILE HEX: with these bytes.
begins() { [ "$(head -c $((${#2} / 2)) "$1" | od -An -tx1 | tr -d ' \n')" = "$2" ] || fail "$1 does not begin with $2"; }

expect 0 "$pintle" say --help
expect 0 "$pintle" say "$text" -o "$scratch/plan.wav" --dry-run
[ ! -e "$scratch/plan.wav" ] || fail "--dry-run wrote something"
for format in wav pcm flac opus mp3; do
  expect 0 "$pintle" say "$text" -o "$scratch/a.$format"
  says "real-time factor"
  [ ! -s "$scratch/out" ] || fail "$format: something on stdout"
  expect 0 "$pintle" say "$text" -o "$scratch/b.$format" --voice slt --json
  cmp "$scratch/a.$format" "$scratch/b.$format" || fail "$format: another recording the second time"
  [ "$(json bytes)" = "$(stat -c %s "$scratch/b.$format")" ] || fail "$format: another size than it says"
  "$pintle" say - -o - --format $format <<<"$text" >"$scratch/stream" 2>/dev/null || fail "$format: no stream"
  case $format in wav | flac) ;; *) cmp "$scratch/a.$format" "$scratch/stream" || fail "$format: the stream differs" ;; esac
done

# The same sound in the formats that keep it.
size=$(stat -c %s "$scratch/a.wav")
begins "$scratch/a.wav" 52494646
[ "$(field "$scratch/a.wav" 4 4)" -eq $((size - 8)) ] || fail "the WAV header has a wrong length"
[ "$(field "$scratch/a.wav" 24 4)" -eq 24000 ] || fail "the WAV header has a wrong rate"
[ "$(field "$scratch/a.wav" 40 4)" -eq $((size - 44)) ] || fail "the WAV header has a wrong data length"
tail -c +45 "$scratch/a.wav" | cmp - "$scratch/a.pcm" || fail "wav and pcm differ"
[ "$size" -gt 150000 ] || fail "the recording is too short: $size bytes"
"$pintle" say "$text" -o - >"$scratch/stream" 2>/dev/null
[ "$(field "$scratch/stream" 40 4)" -eq 4294967295 ] || fail "a streamed WAV header claims a length"
tail -c +45 "$scratch/stream" | cmp - "$scratch/a.pcm" || fail "the streamed WAV differs"
begins "$scratch/a.flac" 664c6143
begins "$scratch/a.opus" 4f676753
begins "$scratch/a.mp3" fff3

# Speed and voice.
expect 0 "$pintle" say "$text" -o "$scratch/slow.pcm" --speed 0.5
[ "$(stat -c %s "$scratch/slow.pcm")" -gt "$(($(stat -c %s "$scratch/a.pcm") * 3 / 2))" ] || fail "speed 0.5 is not slower"
expect 0 "$pintle" say "$text" -o "$scratch/echo.pcm" --voice echo
cmp -s "$scratch/echo.pcm" "$scratch/a.pcm" && fail "two voices sound alike"

# Hostile texts are said as far as they can be.
printf 'a\001\002\033[31m b \377\376 c %%n' >"$scratch/hostile"
"$pintle" say - -o "$scratch/x.mp3" <"$scratch/hostile" 2>"$scratch/err" || fail "control characters"
says "2 characters could not be said"
head -c 2000 /dev/zero | tr '\0' x >"$scratch/hostile"
"$pintle" say - -o "$scratch/x.mp3" <"$scratch/hostile" 2>/dev/null || fail "a word of 2,000 letters"

# What cannot be said, or written, leaves nothing behind.
rm -f "$scratch/x."*
expect 4 "$pintle" say '...' -o "$scratch/x.wav"
says "holds nothing that can be said"
expect 4 "$pintle" say 'hi' -o "$scratch/x.wav" --voice nobody
says "the voices are alloy"
expect 4 "$pintle" say 'hi' -o "$scratch/x.wav" --speed 9
expect 1 "$pintle" say 'hi' -o "$scratch/x.aac"
says "there are mp3, opus, flac, wav and pcm"
expect 1 "$pintle" say 'hi' -o "$scratch/x.wav" --format ogg
expect 1 "$pintle" say 'hi' -o "$scratch/x.wav" --speed fast
expect 1 "$pintle" say 'hi'
expect 1 "$pintle" say 'hi' -o - --json
expect 3 "$pintle" say 'hi' -o "$scratch/nowhere/x.wav"
ls "$scratch"/x.* "$scratch"/nowhere 2>/dev/null && fail "a refused recording left a file"

# A node.
expect 1 "$pintle" tts-node --queue 0
expect 1 "$pintle" tts-node --port 70000
"$pintle" tts-node --port 0 >"$scratch/address" 2>"$scratch/node.log" &
node=$!
for _ in $(seq 200); do [ -s "$scratch/address" ] && break; sleep 0.05; done
address=$(cat "$scratch/address")
ask() { curl -s -o "$scratch/answer" -w '%{http_code} %{content_type}' "$@"; }
[ "$(ask "$address/ready")" = "200 application/json" ] || fail "the node is not ready"
grep -q '"shimmer"' <(curl -s "$address/v1/audio/voices") || fail "the node does not list its voices"
request='{"model":"tts-1","input":"Dr. Smith paid $5.50 on March 15, 2024. Is that so?","voice":"alloy"'
for format in mp3:audio/mpeg opus:audio/ogg pcm:audio/pcm; do
  got=$(ask "$address/v1/audio/speech" -d "$request,\"response_format\":\"${format%%:*}\"}")
  [ "$got" = "200 ${format#*:}" ] || fail "the node answers $got"
  cmp "$scratch/answer" "$scratch/a.${format%%:*}" || fail "${format%%:*}: the node says it differently"
done
[ "$(ask "$address/v1/audio/speech" -d "$request}")" = "200 audio/mpeg" ] || fail "mp3 is not the default"
[ "$(ask "$address/v1/audio/speech" -d "$request,\"response_format\":\"aac\"}")" = "400 application/json" ] || fail "aac"
grep -q '"param":"response_format"' "$scratch/answer" || fail "the error does not name its field"
kill -TERM $node
wait $node || fail "the node does not end well"
