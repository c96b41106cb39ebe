# Sourced by the command-line tests: a scratch folder, and expectations that name what went wrong.
set -euo pipefail
pintle=$(realpath "$1")
project=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
scratch=$(mktemp -d)
trap 'chmod -R u+w "$scratch"; rm -rf "$scratch"' EXIT
export NO_COLOR=1

fail() { echo "FAILED: $*" >&2; exit 1; }

# expect STATUS COMMAND...: runs it; stdout and stderr land in $scratch/out and $scratch/err.
expect() {
  local wanted=$1 got=0
  shift
  "$@" >"$scratch/out" 2>"$scratch/err" </dev/null || got=$?
  [ "$got" -eq "$wanted" ] || {
    tail -n 20 "$scratch/err" >&2
    fail "exit status $got, not $wanted: $*"
  }
}
# says TEXT: the last command's stderr (errors) holds it. prints TEXT: its stdout.
says() { grep -qF -- "$1" "$scratch/err" || { cat "$scratch/err" >&2; fail "stderr lacks: $1"; }; }
prints() { grep -qF -- "$1" "$scratch/out" || { head -n 40 "$scratch/out" >&2; fail "stdout lacks: $1"; }; }
# json KEY: a top-level string or number of the last command's one-line JSON.
json() { sed -nE "s/.*\"$1\": ?(\"([^\"]*)\"|(-?[0-9.e+-]+)).*/\2\3/p" "$scratch/out" | head -n 1; }
