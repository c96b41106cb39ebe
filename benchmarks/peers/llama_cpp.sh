#!/bin/sh
# Prompt (512 tokens) and generation (64) speed of Pintle beside llama.cpp: random weights of real shapes, keys and values in f16, runs
# taken in turn on this machine, best of three each time.
#   benchmarks/peers/llama_cpp.sh FOLDER [PINTLE [ROUNDS [MODEL...]]]
# FOLDER keeps the models between runs (5 GB for qwen3-8b) and the npm package, by `npm install --prefix FOLDER node-llama-cpp@3`.
# PINTLE is the program (default build/release/pintle), a MODEL is "ARCH TYPE". THREADS=n changes the number of threads (default 2).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=${1:?usage: llama_cpp.sh FOLDER [PINTLE [ROUNDS [MODEL...]]]}
pintle=${2:-$here/../../build/release/pintle}
rounds=${3:-2}
threads=${THREADS:-2}
[ $# -gt 3 ] && shift 3 || set -- "qwen3-0.6b q8_0" "qwen3-0.6b q4_k_m" "llama-1b q4_k_m" "qwen3-8b q4_k_m"
NODE_LLAMA_CPP=$(cd "$folder" && pwd)/node_modules/node-llama-cpp/dist/index.js
export NODE_LLAMA_CPP
[ -e "$NODE_LLAMA_CPP" ] || { echo "error: node-llama-cpp is not installed: npm install --prefix $folder node-llama-cpp@3" >&2; exit 3; }

value() { printf '%s' "$1" | sed -nE "s/.*\"$2\": ?([0-9.e+-]+).*/\1/p"; }
show() {  # who, JSON
  printf '  %-9s prompt %7.1f tokens/s  generation %6.1f  load %6.0f ms  peak memory %6.0f MB%s\n' "$1" "$(value "$2" pp_tokens_per_s)" \
    "$(value "$2" tg_tokens_per_s)" "$(value "$2" load_ms)" "$(value "$2" peak_rss_mb)" "$3"
}
for model in "$@"; do
  arch=${model% *} type=${model#* }
  file=$folder/$arch-$type.gguf
  [ -e "$file" ] || "$pintle" models synth --arch "$arch" --type "$type" --out "$file" >/dev/null
  round=1
  while [ "$round" -le "$rounds" ]; do
    echo "$model, $threads threads, round $round"
    ours=$("$pintle" bench llm "$file" --prompt 512 --generate 64 --threads "$threads" --json)
    peer=$(node "$here/llama_cpp.mjs" "$file" 512 64 3 "$threads")
    show pintle "$ours" "  $(awk -v a="$(value "$ours" tg_gb_s)" -v b="$(value "$ours" read_gb_s)" \
      'BEGIN { printf "generation reads %.1f of %.1f GB/s, %.0f %%", a, b, 100 * a / b }')"
    show llama.cpp "$peer" "  $(awk -v a="$(value "$ours" pp_tokens_per_s)" -v b="$(value "$peer" pp_tokens_per_s)" \
      -v c="$(value "$ours" tg_tokens_per_s)" -v d="$(value "$peer" tg_tokens_per_s)" \
      'BEGIN { printf "pintle: prompt %.2fx, generation %.2fx", a / b, c / d }')"
    round=$((round + 1))
  done
done
