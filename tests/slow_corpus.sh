#!/usr/bin/env bash
# The default corpus, whole: crawl (83 MB from the network), filter, dataset; the same ids for 1 and 2 threads.
. "$(dirname "$0")/lib.sh"
config=$project/configs/m31r/corpus-debian.toml
expect 0 "$pintle" m31r crawl --source "$config" --work "$scratch/work"
for threads in 1 2; do
  rm -rf "$scratch/work/filtered" "$scratch/work/dataset"
  expect 0 "$pintle" m31r filter --work "$scratch/work" --threads $threads
  expect 0 "$pintle" m31r dataset --work "$scratch/work" --threads $threads
  "$pintle" m31r info "$scratch/work" --json >"$scratch/info$threads"
done
cmp "$scratch/info1" "$scratch/info2" || fail "1 and 2 threads differ"
expect 0 "$pintle" m31r verify "$scratch/work"
# Nothing under the Mozilla licence was kept.
expect 0 "$pintle" m31r info "$scratch/work/dataset"
grep -q MPL "$scratch/out" && fail "an MPL file was kept"
exit 0
