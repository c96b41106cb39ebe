# Sourced by ./run and ./test: installs what is missing from Debian 12's own archive.

build_packages="g++ cmake ninja-build pkg-config libhwy-dev libfmt-dev libtomlplusplus-dev libsqlite3-dev libzstd-dev
  liblzma-dev libarchive-dev libcurl4-openssl-dev libssl-dev libxxhash-dev libseccomp-dev doctest-dev libcli11-dev
  libboost1.81-dev libboost-json1.81-dev libsimdjson-dev flite1-dev libflac-dev libopus-dev libopusenc-dev
  libmp3lame-dev ca-certificates"
test_packages="clang-19 clang-format-19 clang-tidy-19 libclang-rt-19-dev llvm-19 git doxygen qemu-user
  g++-aarch64-linux-gnu xz-utils zstd curl procps emscripten nodejs chromium firefox-esr"
coverage_packages="gcovr"

say() { printf '%s\n' "$*" >&2; }

# install_packages NAME...: asks dpkg first; touches apt only if something is missing.
install_packages() {
  local missing=() name
  for name in "$@"; do
    dpkg-query -W -f='${Status}' "$name" 2>/dev/null | grep -q 'install ok installed' || missing+=("$name")
  done
  [ ${#missing[@]} -eq 0 ] && return 0
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    if sudo -n true 2>/dev/null; then as_root=(sudo); else
      say "error: these packages are missing: ${missing[*]}"
      say "hint: run: sudo apt-get update && sudo apt-get install --no-install-recommends ${missing[*]}"
      exit 3
    fi
  fi
  say "installing ${#missing[@]} packages"
  "${as_root[@]}" apt-get update -qq
  DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# install_rustc: a compiler to judge generated code with, if there is none. --no-remove: a user's own Rust stays.
install_rustc() {
  command -v rustc >/dev/null && return 0
  local as_root=()
  [ "$(id -u)" -eq 0 ] || as_root=(sudo -n)
  DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-remove --no-install-recommends rustc-web >/dev/null 2>&1 ||
    say "note: no rustc here and rustc-web could not be installed; what needs a compiler will say so"
}

# npm_packages: those of this folder's lock file, once. Without a network the status is 77, which ./test shows as skipped.
npm_packages() {
  [ -f node_modules/.package-lock.json ] && return 0
  command -v npm >/dev/null || install_packages npm # beside Debian's Node; one from elsewhere brings its own
  local log
  log=$(npm ci --no-audit --no-fund --ignore-scripts 2>&1) && return 0
  say "$log"
  grep -qE 'ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|_CERT|CERT_|E403|E407|E50[0-9]' <<<"$log" || return 1
  say "npm's registry cannot be reached"
  return 77
}

# build PRESET [TARGET...]: configures once, then builds.
build() {
  local preset=$1 log
  shift
  log=build/$preset.configure.log
  mkdir -p build
  [ -f "build/$preset/build.ninja" ] || cmake --preset "$preset" >"$log" 2>&1 || { cat "$log" >&2; return 3; }
  cmake --build "build/$preset" ${1:+--target "$@"} >"build/$preset.build.log" 2>&1 || {
    grep -E -A12 'FAILED|error' "build/$preset.build.log" | head -60 >&2
    return 3
  }
}
