#!/usr/bin/env bash
# Makes everything that a person installs, for this system, from target/release: the archive for C and C++, the wheel, the NuGet
# packages, the npm tarball and the PowerShell module. What can't be made here is named with its reason; what fails, fails.
#   packages.sh [FOLDER]     FOLDER: default target/packages
# For Node.js and PowerShell, bindings/NAME/package.sh FOLDER puts its package there; ZUS_LIBRARY is the shared library to put in.
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:-target/packages}
mkdir -p "$out"
out=$(cd "$out" && pwd)
PREFIX= . packaging/names.sh
built=${ZUS_LIB_DIR:-${CARGO_TARGET_DIR:-target}/${CARGO_BUILD_TARGET:+$CARGO_BUILD_TARGET/}release}
[ -e "$built/$built_shared" ] || { echo "packages.sh: no $built/$built_shared: run make build first" >&2; exit 1; }
export ZUS_LIBRARY
ZUS_LIBRARY=$(cd "$built" && pwd)/$built_shared
python=${PYTHON:-python3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

# make WHAT PATTERN COMMAND...: runs it with an empty folder as its last argument; what is there then is the package.
make_() {
  local what=$1 pattern=$2 made
  shift 2
  rm -rf "$work/made"
  mkdir "$work/made"
  if ! "$@" "$work/made" >"$work/log" 2>&1; then
    failed=1
    echo "FAILED: $what:"
    tail -n 20 "$work/log" | sed 's/^/  /'
    return 0
  fi
  # shellcheck disable=SC2086
  made=$(cd "$work/made" && ls -d $pattern 2>/dev/null) || { failed=1; echo "FAILED: $what: there is no $pattern"; return 0; }
  for file in $made; do
    rm -rf "${out:?}/$file"
    mv "$work/made/$file" "$out/$file"
    echo "$out/$file"
  done
}
not_made() { echo "not made: $1: $2"; }

archive() { DIST_DIR=$1 packaging/dist.sh; }
wheel() { "$python" -m pip wheel --quiet --no-deps --wheel-dir "$1" bindings/python; }
# The tests build in the project's own folder meanwhile.
nuget() {
  rm -rf target/nuget/package # an older one would be left as it is
  "${MAKE:-make}" -s nuget
  cp target/nuget/package/release/*.nupkg "$1"
}

make_ "the archive" "libzus-*" archive
if "$python" -m pip --version >/dev/null 2>&1; then
  make_ "the wheel" "*.whl" wheel
else
  not_made "the wheel" "$python has no pip (Debian: python3-pip)"
fi
if command -v dotnet >/dev/null; then
  make_ "the NuGet packages" "*.nupkg" nuget
else
  not_made "the NuGet packages" "there is no .NET SDK (dotnet)"
fi
other() { # other WHAT FOLDER PATTERN TOOL...
  local tool
  for tool in "${@:4}"; do
    if ! command -v "$tool" >/dev/null; then
      not_made "$1" "there is no $tool"
      return 0
    fi
  done
  make_ "$1" "$3" "bindings/$2/package.sh"
}
other "the npm tarball" node "*.tgz" npm
other "the PowerShell module" powershell ZoomUserStatus dotnet pwsh

# Whoever gets the library gets the notices of what is compiled into it.
"$python" - "$out" "$built_shared" "$version" <<'E2' || failed=1
import os, sys, tarfile, zipfile
out, library, version = sys.argv[1:]
bad = 0
for name in sorted(os.listdir(out)):
    path = os.path.join(out, name)
    if os.path.isdir(path):
        names = [os.path.join(at, file) for at, _, files in os.walk(path) for file in files]
    elif zipfile.is_zipfile(path):
        names = zipfile.ZipFile(path).namelist()
    elif tarfile.is_tarfile(path):
        names = tarfile.open(path).getnames()
    else:
        continue
    files = {os.path.basename(file) for file in names}
    if any(file.startswith(library) for file in files):
        for wanted in ("THIRD-PARTY-NOTICES.txt", "LICENSE-MIT", "LICENSE-APACHE"):
            if wanted not in files:
                bad = 1
                print(f"FAILED: {name} has no {wanted}")
sys.exit(bad)
E2
exit $failed
