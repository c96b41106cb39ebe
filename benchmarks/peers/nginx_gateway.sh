#!/bin/sh
# The gateway beside nginx (upstream keep-alive, access logs on, one worker), on this machine, taken one after the other:
# latency at 500 requests a second over 64 connections, saturated throughput; memory of 2,000 idle streams, and what a
# streamed event takes longer.
#   benchmarks/peers/nginx_gateway.sh [PINTLE [SECONDS]]
# PINTLE is the program (default build/release/pintle). Needs: apt-get install nginx-light nodejs.
set -eu
here=$(dirname "$0")
pintle=${1:-$here/../../build/release/pintle}
seconds=${2:-10}
command -v nginx >/dev/null || { echo "error: nginx is not installed" >&2; exit 3; }
ulimit -n "$(ulimit -Hn)"
nginx -v 2>&1
echo "$(nproc) processors, load $(cut -d' ' -f1 /proc/loadavg)"
echo "requests, 64 connections:"
log=$(mktemp)
"$pintle" bench gateway --seconds "$seconds" --access-log 2>"$log"
rm "$log"
echo "streams:"
node "$here/streams.mjs" "$pintle"
