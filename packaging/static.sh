#!/bin/sh
# static.sh FROM TO: the static library of an ELF system as it is installed: one object whose only global symbols are zus_*.
# What cargo makes offers the thousands that Rust's runtime has, and a program that links it gets Rust's cbrt, fma and floor
# in place of libm's. Debug information and the compiler's bitcode, which Rust's own library brings, are left out.
#
# Groups are dissolved, or the linker would take another Rust library's symbols for these, which nobody can see.
#
#   LD, OBJCOPY, AR  for another processor: those of its binutils, as aarch64-linux-gnu-ld
set -eu
from=$1 to=$2
for tool in "${LD:-ld}" "${OBJCOPY:-objcopy}" "${AR:-ar}"; do
  command -v "$tool" >/dev/null || { echo "static.sh: there is no $tool (binutils)" >&2; exit 1; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
{
  "${LD:-ld}" -r --force-group-allocation --whole-archive "$from" -o "$work/all.o" &&
    "${OBJCOPY:-objcopy}" --strip-debug -R .llvmbc -R .llvmcmd --wildcard --keep-global-symbol='zus_*' "$work/all.o" "$work/zus.o" &&
    (cd "$work" && "${AR:-ar}" rcsD zus.a zus.o)
} || { echo "static.sh: for another processor, set LD, OBJCOPY and AR to those of its binutils" >&2; exit 1; }
mkdir -p "$(dirname "$to")"
install -m 644 "$work/zus.a" "$to"
