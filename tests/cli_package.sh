#!/usr/bin/env bash
# The packages: made twice with the same bytes, unpacked, and run where nothing of this machine is there.
. "$(dirname "$0")/lib.sh"

expect 0 "$project/packaging/make" "$scratch/first"
expect 0 "$project/packaging/make" "$scratch/second"
diff -r "$scratch/first" "$scratch/second" || fail "the packages differ from one making to the next"
expect 1 "$project/packaging/make"

# completes COMMAND...: the shipped model writes the same few tokens as under the program that was built.
prompt=(m31r generate --prompt 'fn main() {' --max-tokens 8)
expect 0 "$pintle" "${prompt[@]}" --model "$project/models/m31r-1m"
cp "$scratch/out" "$scratch/wanted"
completes() {
  expect 0 "$@"
  cmp -s "$scratch/out" "$scratch/wanted" || fail "another completion: $*"
}

deb=$(echo "$scratch"/first/pintle_*.deb)
expect 0 dpkg-deb -f "$deb" Depends
prints libarchive13
expect 0 dpkg-deb -x "$deb" "$scratch/installed"
[ -f "$scratch/installed/lib/systemd/system/pintle.service" ] || fail "the package has no systemd unit"
completes env -i "$scratch/installed/usr/bin/m31r" "${prompt[@]:1}" --model "$scratch/installed/usr/share/pintle/models/m31r-1m"

mkdir "$scratch/a place"
tar -C "$scratch/a place" --zstd -xf "$scratch"/first/*.tar.zst
root=$(echo "$scratch/a place"/pintle-*)
expect 0 ldd "$root/bin/pintle"
prints "$root/bin/../lib/pintle/libarchive.so.13"
completes env -i "$root/bin/pintle" "${prompt[@]}" --model "$root/share/pintle/models/m31r-1m"
expect 0 env -i HOME="$scratch" "$root/bin/pintle" demo --dry-run

# A root file system with nothing but glibc. The loader finds the libraries' place through /proc.
bare=$scratch/bare
in_bare() { unshare --mount sh -c 'mount --bind /proc "$0/proc" && exec chroot "$0" "$@"' "$bare" "$@"; }
mkdir -p "$bare/opt" "$bare/proc" "$bare/lib64"
cp -r "$root" "$bare/opt/pintle"
dpkg -L libc6 | grep -E '\.so[.0-9]*$' | while read -r file; do
  [ -e "$file" ] && install -D "$(realpath "$file")" "$bare$file"
done
cp "$(realpath /lib64/ld-linux-x86-64.so.2)" "$bare/lib64/ld-linux-x86-64.so.2"
if unshare --mount true 2>"$scratch/err"; then
  completes in_bare /opt/pintle/bin/pintle "${prompt[@]}" --model /opt/pintle/share/pintle/models/m31r-1m
else
  echo "not tried in a bare root: $(cat "$scratch/err")"
fi
echo "packages: ok"
