#!/usr/bin/env bash
# Side by side with libcurl and others, in one run: prints a table of ratios and counts, about six minutes.
#   benches/run.sh          everything
#   benches/run.sh quick    fewer rounds, under 90 seconds
#   benches/run.sh readme   everything, and puts the table into benches/README.md
# What is missing is installed: nginx, libcurl's header, strace and valgrind by apt-get; Python packages into .tools/bench. C# is
# measured where there is a .NET SDK.
#   ZUS_LIB_DIR   where libzus.so is (default <repo>/target/release)
set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
REPO=$(dirname "$HERE")
export ZUS_LIB_DIR=$(cd "${ZUS_LIB_DIR:-$REPO/target/release}" && pwd)
OUT=$REPO/target/bench
VENV=$REPO/.tools/bench/venv
cd "$REPO"
[ -f "$ZUS_LIB_DIR/libzus.so" ] || { echo "no libzus.so in $ZUS_LIB_DIR: cargo build --release" >&2; exit 1; }
[ -e "$ZUS_LIB_DIR/libzus.so.0" ] || ln -s libzus.so "$ZUS_LIB_DIR/libzus.so.0"

need=()
for package in nginx-light libcurl4-openssl-dev curl openssl strace valgrind gcc; do
  dpkg -s "$package" >/dev/null 2>&1 || need+=("$package")
done
if [ ${#need[@]} -gt 0 ]; then
  echo "installing ${need[*]}"
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${need[@]}" >/dev/null
fi
if ! "$VENV/bin/python" -c 'import requests, pycurl, httpx' 2>/dev/null; then
  python3 -m venv "$VENV"
  "$VENV/bin/pip" install -q --disable-pip-version-check -r "$HERE/requirements.txt"
fi

mkdir -p "$OUT"
warnings=(-O2 -Wall -Wextra -Werror)
for program in zus_call zus_threads zus_many zus_start; do
  gcc "${warnings[@]}" "$HERE/$program.c" -I"$REPO/include" -L"$ZUS_LIB_DIR" -lzus -lpthread -Wl,-rpath,"$ZUS_LIB_DIR" -o "$OUT/$program"
done
for program in curl_call curl_multi; do gcc "${warnings[@]}" "$HERE/$program.c" -lcurl -o "$OUT/$program"; done
gcc "${warnings[@]}" "$HERE/socket_call.c" -o "$OUT/socket_call"
gcc "${warnings[@]}" "$HERE/spawn.c" -o "$OUT/spawn"
gcc "${warnings[@]}" -shared -fPIC "$HERE/allocations.c" -o "$OUT/allocations.so"

# The sandbox with optimisation, so that the server isn't what is measured; quick to build is enough. Its library goes elsewhere too.
CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
  cargo build -q --release --locked --example sandbox --target-dir "$OUT/sandbox"

# C#, where there is a .NET SDK.
if command -v dotnet >/dev/null; then
  dotnet build "$HERE/CSharpCall.csproj" -c Release --artifacts-path "$OUT/csharp" -v quiet
else
  echo "no .NET SDK: C# is left out" >&2
fi

# Node.js, where there is npm.
if command -v npm >/dev/null; then "$REPO/bindings/node/build.sh"; fi

exec "$VENV/bin/python" "$HERE/measure.py" "$OUT" "${1:-all}"
