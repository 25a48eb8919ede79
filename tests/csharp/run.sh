#!/usr/bin/env bash
# `dotnet test` of bindings/csharp, and what it can't show: the packages in a new project, and the netstandard2.0 assembly on Mono.
#   ZUS_LIB_DIR   where libzus.so is (default <repo>/target/release)
#   ZUS_SANDBOX   the sandbox program (default <repo>/target/debug/examples/sandbox)
set -uo pipefail
cd "$(dirname "$0")/../.."
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 MSBUILDDISABLENODEREUSE=1
ldconfig -p 2>/dev/null | grep -q libicu || export DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1
if ! command -v dotnet >/dev/null; then
  echo "SKIPPED: no .NET SDK: there is no dotnet on PATH. Get version 10 or newer from your system's packages or https://dot.net/download"
  echo "0 passed, 0 failed"
  exit 0
fi
out=$PWD/target/test-csharp
rm -rf "$out" && mkdir -p "$out"
passed=0 failed=0
ok() { passed=$((passed + 1)) && echo "ok   $1"; }
bad() { failed=$((failed + 1)) && echo "FAIL $1" && tail -n 25 "$2"; }
try() { # try TITLE COMMAND...
  local title=$1 log
  log=$out/$(tr ' /' '__' <<<"$title").log
  shift
  if "$@" >"$log" 2>&1 </dev/null; then ok "$title"; else bad "$title" "$log"; fi
}

dotnet test bindings/csharp -c Release >"$out/test.log" 2>&1 </dev/null
status=$?
if read -r f p s < <(sed -nE 's/.*Failed: *([0-9]+), *Passed: *([0-9]+), *Skipped: *([0-9]+),.*/\1 \2 \3/p' "$out/test.log" | tail -n 1); then
  echo "dotnet test: $p passed, $f failed, $s skipped"
  passed=$((passed + p)) failed=$((failed + f))
  if [ "$status" != 0 ]; then
    [ "$f" != 0 ] || failed=$((failed + 1))
    grep -A 20 -E '^ *Failed |error ' "$out/test.log"
  fi
  sed -nE 's/^ *Skipped ([^ ]*).*/SKIPPED: \1/p' "$out/test.log"
else
  bad "dotnet test" "$out/test.log"
fi

# The packages as a new project gets them, in a folder that knows nothing of this one.
packages=$PWD/bindings/csharp/artifacts/package/release
rm -rf "$packages"
try "dotnet pack" dotnet pack bindings/csharp -c Release --no-build
version=$(sed -n 's|.*<Version>\(.*\)</Version>.*|\1|p' bindings/csharp/Directory.Build.props)
native=$(cd bindings/csharp/artifacts/bin/ZoomUserStatus/release_netstandard2.0 && ls *zus*.so *zus*.dylib zus.dll 2>/dev/null)
holds() { # holds PACKAGE FILE...: these and no others, but for NuGet's own
  python3 - "$packages/$1" "${@:2}" <<'PY'
import re, sys, zipfile
package = zipfile.ZipFile(sys.argv[1])
files = {re.sub(r"runtimes/[^/]+", "runtimes/RID", name) for name in package.namelist()}
files = {f for f in files if not f.startswith(("_rels/", "package/")) and not f.endswith((".nuspec", "[Content_Types].xml"))}
print("more:", sorted(files - set(sys.argv[2:])), "missing:", sorted(set(sys.argv[2:]) - files))
nuspec = next(package.read(name).decode() for name in package.namelist() if name.endswith(".nuspec"))
print(nuspec)
needs = "<dependency " in nuspec
sys.exit(files != set(sys.argv[2:]) or needs != (".Extensions." in sys.argv[1]))
PY
}
try "the package's files, and no dependency" holds "ZoomUserStatus.$version.nupkg" README.md LICENSE-MIT LICENSE-APACHE THIRD-PARTY-NOTICES.txt {lib/net8.0,lib/netstandard2.0}/ZoomUserStatus.{dll,xml} \
  {build,buildTransitive}/net461/ZoomUserStatus.targets runtimes/RID/native/"$native"
try "the extensions' files" holds "ZoomUserStatus.Extensions.$version.nupkg" README.md LICENSE-MIT LICENSE-APACHE lib/net8.0/ZoomUserStatus.Extensions.{dll,xml}

app=$(mktemp -d)
trap 'rm -rf "$app"' EXIT
cp tests/csharp/package/* "$app/"
# with_packages COMMAND...: restores take our packages from that folder, and keep all of them out of this user's.
with_packages() {
  env -u ZUS_LIB_DIR -u LD_LIBRARY_PATH RestoreAdditionalProjectSources="$packages" NUGET_PACKAGES="$app/packages" "$@"
}
# Its calls fit a program that is trimmed or compiled ahead of time: the analyzers say so in any build.
try "a new project takes the packages" with_packages dotnet build "$app" -warnaserror -p:EnableTrimAnalyzer=true -p:EnableAotAnalyzer=true
# With calls that are still running at its end.
try "it runs" with_packages timeout 30 tests/install/with-sandbox.sh dotnet run --no-build --project "$app"
# As PublishTrimmed calls the linker, but for the framework: publishing that needs the runtime's package, which is not everywhere.
trimmed() {
  local linker framework file kept=() out=$app/trimmed
  linker=$(ls "$app"/packages/microsoft.net.illink.tasks/*/tools/net*/illink.dll) || return
  framework=$(dotnet --list-runtimes | sed -nE 's|^Microsoft.NETCore.App ([^ ]+) \[(.*)\]$|\2/\1|p' | tail -n 1)
  for file in "$framework"/*.dll; do kept+=(--action copy "$(basename "$file" .dll)"); done
  dotnet "$linker" -a "$1/app.dll" entrypoint -d "$1" -d "$framework" --action link "${kept[@]}" --skip-unresolved true --singlewarn- -out "$out" >"$out.log" 2>&1 || return
  ! grep ZoomUserStatus "$out.log" || return
  for file in "$framework"/*.dll; do rm -f "$out/$(basename "$file")"; done
  cp "$1"/app.runtimeconfig.json "$1"/runtimes/*/native/* "$out"
  with_packages timeout 30 tests/install/with-sandbox.sh dotnet exec "$out/app.dll"
}
built=$(dirname "$(find "$app/bin" -name app.dll | head -n 1)")
if ls "$app"/packages/microsoft.net.illink.tasks >/dev/null 2>&1; then
  try "trimmed, it runs" trimmed "$built"
else
  echo "not tried: trimmed, because the linker's package is not here"
fi
# .NET Framework looks into no runtimes/ folder: the package's targets copy the native file, unless the project has a RuntimeIdentifier.
echo '<Project><Import Project="$(Targets)" /></Project>' >"$out/framework.proj"
targets=$(echo "$app"/packages/zoomuserstatus/*/build/net461/ZoomUserStatus.targets)
copied() { # copied COUNT OPTION...
  local items
  items=$(dotnet msbuild "$out/framework.proj" "-p:Targets=$targets" -getItem:None "${@:2}") && echo "$items" && [ "$(grep -c CopyToOutputDirectory <<<"$items")" = "$1" ]
}
try "on .NET Framework the native file is copied" copied 1
try "with a RuntimeIdentifier it is not" copied 0 -p:RuntimeIdentifier=win-x64
if command -v clang >/dev/null && with_packages dotnet restore "$app" --use-current-runtime -p:PublishAot=true >"$out/aot.log" 2>&1; then
  try "it compiles ahead of time" with_packages dotnet publish "$app" --use-current-runtime -warnaserror -p:PublishAot=true -o "$app/compiled"
  try "compiled, it runs" with_packages tests/install/with-sandbox.sh "$app/compiled/app"
else
  echo "not tried: compiled ahead of time, because clang or the compiler's packages are not here"
fi

# Mono: what Debian's small package lacks is taken out of a large one, which would bring 160 others.
mono=.tools/mono
have_mono() {
  [ -e $mono/Facades/netstandard.dll ] && command -v mono && dpkg -s libmono-system-runtime-serialization4.0-cil && return
  command -v mono && dpkg -s libmono-system-core4.0-cil libmono-system-runtime-serialization4.0-cil ||
    { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends mono-runtime libmono-system-core4.0-cil libmono-system-runtime-serialization4.0-cil; } || return
  mkdir -p $mono && (cd $mono && apt-get -o APT::Sandbox::User=root download mono-devel && dpkg-deb --fsys-tarfile mono-devel_*.deb | tar x --strip-components=5 ./usr/lib/mono/4.5/Facades && rm mono-devel_*.deb)
}
if have_mono >"$out/mono-setup.log" 2>&1; then
  try "a program for Mono builds" dotnet build tests/csharp/mono -c Release --artifacts-path "$out/mono"
  try "netstandard2.0 on Mono" env MONO_PATH=$mono/Facades tests/install/with-sandbox.sh mono "$out/mono/bin/Smoke/release/Smoke.dll"
else
  echo "SKIPPED: netstandard2.0 on Mono: apt-get could not install it"
fi

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
