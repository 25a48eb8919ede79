#!/usr/bin/env bash
# Builds the C# library for each target, runs its tests on .NET 8 and on Mono against the sandbox, packs and checks the NuGet
# package, and builds and runs the examples and the README's code. Everything made goes to out/.
#
# With a .NET SDK it is `dotnet test` and `dotnet pack`. Without one, tools/setup.sh fetches a compiler, a runtime and NuGet's
# packing library, about 140 MB, into <repo>/.tools/dotnet once.
#   ZUS_LIB_DIR   where libzus.so is (default <repo>/target/release)
#   ZUS_SANDBOX   the sandbox program (default <repo>/target/debug/examples/sandbox)
set -euo pipefail
cd "$(dirname "$0")"
HERE=$PWD
REPO=$(cd ../.. && pwd)
ZUS_LIB_DIR=$(cd "${ZUS_LIB_DIR:-$REPO/target/release}" && pwd)
export ZUS_SANDBOX=${ZUS_SANDBOX:-$REPO/target/debug/examples/sandbox}
export LD_LIBRARY_PATH=$ZUS_LIB_DIR${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
export DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
[ -f "$ZUS_LIB_DIR/libzus.so" ] || { echo "no libzus.so in $ZUS_LIB_DIR: cargo build --release" >&2; exit 1; }
[ -x "$ZUS_SANDBOX" ] || { echo "no sandbox at $ZUS_SANDBOX: cargo build --example sandbox" >&2; exit 1; }

PASSED=0 FAILED=0 SKIPPED=0
ok() { PASSED=$((PASSED + 1)); echo "ok   $1"; }
bad() { FAILED=$((FAILED + 1)); echo "FAIL $1"; }
skip() { SKIPPED=$((SKIPPED + 1)); echo "SKIPPED: $1"; }
# run TITLE COMMAND...: shows the failures of a test run, and adds up its last line.
run() {
  local title=$1 log=$HERE/out/$(echo "$1" | tr ' /' '__').log rc=0 total
  shift
  "$@" >"$log" 2>&1 || rc=$?
  total=$(grep -E '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$' "$log" | tail -1 || true)
  if [ -z "$total" ]; then bad "$title ended without a total (status $rc)"; tail -25 "$log"; return 0; fi
  sed -n '/^FAIL/,/^\(ok\|skip\|[0-9]* passed\)/{/^\(ok\|skip\|[0-9]* passed\)/!p}' "$log"
  echo "$title: $total ($(sed -n 's/^# //p;' "$log" | head -1))"
  read -r p f s < <(echo "$total" | tr -cd '0-9 \n' | awk '{print $1, $2, $3}')
  [ "$rc" = 0 ] || [ "$f" != 0 ] || f=1
  PASSED=$((PASSED + p)) FAILED=$((FAILED + f)) SKIPPED=$((SKIPPED + s))
}

rm -rf out/build out/lib out/examples out/snippets out/*.nupkg out/*.log
mkdir -p out/build out/lib/{net8.0,netstandard2.0} out/examples out/snippets
# The native files to pack: <rid>/native/<file>. This machine's own is put there; others may be there already.
RID=linux-$(uname -m | sed 's/x86_64/x64/;s/aarch64/arm64/')
mkdir -p "out/native/$RID/native" && cp "$ZUS_LIB_DIR/libzus.so" "out/native/$RID/native/"

# The README's C# blocks, each a program: NAME.cs with the usings that an SDK project has by itself.
awk -v out=out/snippets '/^```csharp/ { n++; f = sprintf("%s/snippet%02d.cs", out, n); next } /^```/ { f = "" } f { print > f }' README.md
for f in out/snippets/*.cs; do
  { echo 'global using System; global using System.Collections.Generic; global using System.IO; global using System.Linq; global using System.Threading; global using System.Threading.Tasks;'; cat "$f"; } > "$f.tmp"
  mv "$f.tmp" "$f"
done

if command -v dotnet >/dev/null && [ -n "$(dotnet --list-sdks 2>/dev/null)" ]; then SDK=1; else SDK=; fi

if [ -n "$SDK" ]; then
  DOTNET=dotnet
  dotnet build -v q -warnaserror -c Release ZoomUserStatus/ZoomUserStatus.csproj
  dotnet test -c Release ZoomUserStatus.Tests/ZoomUserStatus.Tests.csproj 2>&1 | tee out/dotnet-test.log | grep -E '^\s*(Failed |error )' || true
  if read -r f p s < <(sed -nE 's/.*Failed: *([0-9]+), *Passed: *([0-9]+), *Skipped: *([0-9]+).*/\1 \2 \3/p' out/dotnet-test.log | tail -1) && [ -n "$p" ]; then
    PASSED=$((PASSED + p)) FAILED=$((FAILED + f)) SKIPPED=$((SKIPPED + s)); echo "dotnet test: $p passed, $f failed, $s skipped"
  else bad "dotnet test ended without a total"; tail -25 out/dotnet-test.log; fi
  if dotnet pack -v q -c Release -o out ZoomUserStatus/ZoomUserStatus.csproj; then ok "dotnet pack"; else bad "dotnet pack"; fi
  for p in UpdateStatus Offboard; do dotnet build -v q "$REPO/examples/csharp/$p.csproj"; done
  program() { local p=$1; shift; dotnet "out/examples/bin/$p/$p.dll" "$@"; }
  skip "tests on Mono, the README's code: they need the tool chain of tools/setup.sh"
else
  tools/setup.sh
  TOOL=$REPO/.tools/dotnet
  DOTNET=$TOOL/dotnet/dotnet
  MONO=1; tools/setup.sh --mono || { MONO=; skip "tests on Mono, netstandard2.0, the package: mono or the reference assemblies could not be had (apt-get)"; }
  FW=$(echo "$TOOL"/dotnet/shared/Microsoft.NETCore.App/8.*)
  rc() { echo '{"runtimeOptions":{"tfm":"net8.0","framework":{"name":"Microsoft.NETCore.App","version":"8.0.0"}}}' > "$1"; }
  csc() { "$DOTNET" "$TOOL/csc/csc.dll" /nologo "$@"; }
  OPT=(/langversion:12 /nullable:enable /unsafe+ /deterministic+ /optimize+ /debug:portable /warn:9999 /warnaserror+ "/pathmap:$REPO=/_")
  NET8=('/define:TRACE;NET;NET8_0;NET8_0_OR_GREATER;NET7_0_OR_GREATER;NET6_0_OR_GREATER;NET5_0_OR_GREATER;NETCOREAPP' @out/build/net8.rsp)
  NETFX=('/define:TRACE;NETFRAMEWORK;NET462;NET462_OR_GREATER' @out/build/net462.rsp)
  for f in "$FW"/*.dll; do case ${f##*/} in System.*|Microsoft.*|mscorlib.dll|netstandard.dll) echo "/r:\"$f\"";; esac; done > out/build/net8.rsp
  for a in mscorlib System System.Core; do echo "/r:\"$TOOL/netfx/4.6.2-api/$a.dll\""; done > out/build/net462.rsp
  # What the SDK writes from the project file.
  cat > out/build/AssemblyInfo.cs <<'CS'
[assembly: System.Reflection.AssemblyVersion("0.1.0.0")]
[assembly: System.Reflection.AssemblyFileVersion("0.1.0.0")]
[assembly: System.Reflection.AssemblyInformationalVersion("0.1.0")]
[assembly: System.Runtime.CompilerServices.InternalsVisibleTo("ZoomUserStatus.Tests")]
CS
  LIB=(ZoomUserStatus/*.cs out/build/AssemblyInfo.cs)
  TESTS=(ZoomUserStatus.Tests/*.cs ZoomUserStatus.Tests/Shim/*.cs)
  # tool NAME REFERENCE...: compiles tools/NAME.cs beside its libraries when it is new.
  tool() {
    local name=$1 dir; shift; dir=$(dirname "$1")
    [ "$dir/$name.dll" -nt "tools/$name.cs" ] || csc @out/build/net8.rsp "${@/#//r:}" "/out:$dir/$name.dll" "tools/$name.cs"
    rc "$dir/$name.runtimeconfig.json"
  }
  mkdir -p out/build/{net8,net462,ns20}

  csc "${OPT[@]}" "${NET8[@]}" /target:library /doc:out/build/net8/ZoomUserStatus.xml /out:out/build/net8/ZoomUserStatus.dll "${LIB[@]}"
  csc "${OPT[@]}" "${NET8[@]}" /r:out/build/net8/ZoomUserStatus.dll /target:exe /out:out/build/net8/ZoomUserStatus.Tests.dll "${TESTS[@]}"
  rc out/build/net8/ZoomUserStatus.Tests.runtimeconfig.json
  run "net8.0 on .NET 8" "$DOTNET" out/build/net8/ZoomUserStatus.Tests.dll

  if [ -n "$MONO" ]; then
    csc "${OPT[@]}" "${NETFX[@]}" /target:library /doc:out/build/net462/ZoomUserStatus.xml /out:out/build/net462/ZoomUserStatus.dll "${LIB[@]}"
    csc "${OPT[@]}" "${NETFX[@]}" /r:out/build/net462/ZoomUserStatus.dll /target:exe /out:out/build/net462/ZoomUserStatus.Tests.exe "${TESTS[@]}"
    run "net462 on Mono" mono --debug out/build/net462/ZoomUserStatus.Tests.exe

    # Public contracts instead of implementation assemblies, as the SDK's reference packs give; fails on a type outside of them.
    tool retarget "$TOOL/cecil/Mono.Cecil.dll"
    "$DOTNET" "$TOOL/cecil/retarget.dll" out/build/net462/ZoomUserStatus.dll out/lib/netstandard2.0/ZoomUserStatus.dll "$TOOL/netfx/4.7.1-api/Facades/netstandard.dll"
    mapfile -t CONTRACTS < <(ls "$FW"/System.*.dll | grep -v -e System.Private -e /System.Runtime.dll -e /System.Core.dll)
    "$DOTNET" "$TOOL/cecil/retarget.dll" out/build/net8/ZoomUserStatus.dll out/lib/net8.0/ZoomUserStatus.dll "$FW/System.Runtime.dll" "${CONTRACTS[@]}"
    cp out/build/net462/ZoomUserStatus.xml out/lib/netstandard2.0/; cp out/build/net8/ZoomUserStatus.xml out/lib/net8.0/

    cp out/lib/netstandard2.0/ZoomUserStatus.* out/build/ns20/
    csc "${OPT[@]}" @out/build/net8.rsp /r:out/build/ns20/ZoomUserStatus.dll /target:exe /out:out/build/ns20/ZoomUserStatus.Tests.dll "${TESTS[@]}"
    rc out/build/ns20/ZoomUserStatus.Tests.runtimeconfig.json
    run "netstandard2.0 on .NET 8" "$DOTNET" out/build/ns20/ZoomUserStatus.Tests.dll
    # The package's assembly on Mono: the net462 tests beside it; mono-runtime alone has no netstandard.dll.
    rm out/build/ns20/ZoomUserStatus.Tests.dll # another AppDomain would find it before the .exe
    cp out/build/net462/ZoomUserStatus.Tests.* out/build/ns20/
    run "netstandard2.0 on Mono" env MONO_PATH="$TOOL/netfx/4.5/Facades" mono --debug out/build/ns20/ZoomUserStatus.Tests.exe

    tool nupack "$TOOL"/nupack/NuGet.{Packaging,Frameworks,Versioning,Common}.dll
    "$DOTNET" "$TOOL/nupack/nupack.dll" pack tools/ZoomUserStatus.nuspec . out/ZoomUserStatus.0.1.0.nupkg
    run "package" "$DOTNET" "$TOOL/nupack/nupack.dll" check out/ZoomUserStatus.0.1.0.nupkg
  fi

  # The examples and the README's code: against the library of the package where there is one.
  USE=out/lib/net8.0; [ -f $USE/ZoomUserStatus.dll ] || USE=out/build/net8
  compile() { # SOURCE NAME
    mkdir -p "out/examples/bin/$2"
    cp $USE/ZoomUserStatus.dll "out/examples/bin/$2/" && rc "out/examples/bin/$2/$2.runtimeconfig.json"
    csc "${OPT[@]}" "${NET8[@]}" "/r:out/examples/bin/$2/ZoomUserStatus.dll" /target:exe "/out:out/examples/bin/$2/$2.dll" "$1"
  }
  program() { local p=$1; shift; "$DOTNET" "out/examples/bin/$p/$p.dll" "$@"; }
  for p in UpdateStatus Offboard; do compile "$REPO/examples/csharp/$p.cs" $p; done
  for f in out/snippets/*.cs; do
    n=$(basename "$f" .cs)
    if compile "$f" "$n"; then ok "README $n compiles"; else bad "README $n compiles"; fi
  done
fi

# --- The examples as a person runs them ------------------------------------------------------------------------------------
coproc ZOOM { exec "$ZUS_SANDBOX" --quiet --until-stdin-closes --users 300 --delay 20; }
while read -r line <&"${ZOOM[0]}"; do
  case $line in ZOOM_*) export "${line?}";; ready) break;; esac
done
unset ZOOM_ACCOUNT_ID ZOOM_CLIENT_ID ZOOM_CLIENT_SECRET
# expect TITLE STATUS PATTERN COMMAND...
expect() {
  local title=$1 status=$2 pattern=$3 rc=0 said
  shift 3
  said=$("$@" 2>&1) || rc=$?
  if [ "$rc" = "$status" ] && grep -qE -- "$pattern" <<<"$said"; then ok "$title"
  else bad "$title: status $rc, not $status, or no /$pattern/ in:"; sed 's/^/       /' <<<"$said"; fi
}
expect "update_status deactivates" 0 '^HTTP 204$' program UpdateStatus ada@example.com deactivate
expect "update_status tells the code" 1 '^ZUS_ERR_USER_NOT_FOUND: ' program UpdateStatus nobody@example.com deactivate
expect "update_status tells Zoom's code" 1 "^Zoom's code: 1001$" program UpdateStatus nobody@example.com deactivate
expect "update_status tells the tracking id" 1 '^tracking id: v=2.0;' program UpdateStatus nobody@example.com deactivate
expect "update_status misused" 2 '^usage: ' program UpdateStatus nobody@example.com remove
expect "update_status with a bad id" 2 '^ZUS_ERR_ARGUMENT' program UpdateStatus ' ada@example.com' deactivate
expect "update_status without credentials" 2 'ZOOM_ACCESS_TOKEN' env -u ZOOM_ACCESS_TOKEN "$DOTNET" out/examples/bin/UpdateStatus/UpdateStatus.dll ada@example.com deactivate
seq -f 'user%05g@example.com' 1 40 > out/leavers.txt; printf '  nobody@example.com \r\n\n' >> out/leavers.txt
expect "offboard counts" 1 '^.?40 done, 1 failed, 0 left: Partial$' program Offboard out/leavers.txt
expect "offboard reports" 1 '^FAIL nobody@example.com ZUS_ERR_USER_NOT_FOUND 404/1001 ' program Offboard out/leavers.txt
expect "offboard reads standard input" 0 '^DONE user00007@example.com$' program Offboard < <(echo user00007@example.com)
expect "offboard without a file" 2 'no-such-file' program Offboard no-such-file
expect "offboard refused" 3 '^LEFT user' env ZOOM_ACCESS_TOKEN=expired "$DOTNET" out/examples/bin/Offboard/Offboard.dll out/leavers.txt
seq -f 'user%05g@example.com' 1 300 > out/leavers.txt
interrupted() { # Ctrl-C after the first DONE lines; nobody may be missing from the report
  local rc=0 pid
  set -m # a job of its own: without it, bash has background programs ignore Ctrl-C
  "$DOTNET" out/examples/bin/Offboard/Offboard.dll out/leavers.txt > out/offboard.out 2>&1 & pid=$!
  for _ in $(seq 100); do [ "$(grep -c ^DONE out/offboard.out)" -ge 10 ] && break; sleep 0.05; done
  kill -INT $pid; wait $pid || rc=$?
  tail -1 out/offboard.out
  echo "$(sed -nE 's/^(DONE|FAIL|LEFT) ([^ ]*).*/\2/p' out/offboard.out | sort -u | wc -l) accounted for"
  return $rc
}
expect "offboard stopped by Ctrl-C" 130 '^300 accounted for$' interrupted

# The first snippet of the README is the one that the main README shows.
[ -n "$SDK" ] || expect "README's first code runs" 0 'HTTP 204' program snippet01

# An async lambda would be async void.
if [ -z "$SDK" ]; then
  echo 'using ZoomUserStatus; using var client = ZoomUserStatusClient.FromEnvironment();
client.UpdateMany(new[] { "a" }, UserStatusAction.Activate, async r => await System.Threading.Tasks.Task.Yield());' > out/build/async.cs
  expect "an async lambda for UpdateMany doesn't compile" 1 'error CS0619: .*await UpdateManyAsync' compile out/build/async.cs async
fi

# No library, and another one: a sentence that helps.
expect "without the library" 2 'native library of ZoomUserStatus .*was not found' env -u LD_LIBRARY_PATH "$DOTNET" out/examples/bin/UpdateStatus/UpdateStatus.dll ada@example.com deactivate
if command -v gcc >/dev/null; then
  mkdir -p out/build/wrong out/build/none
  echo 'const char *zus_version(void) { return "9.9.9"; }' | gcc -shared -fPIC -o out/build/wrong/libzus.so -x c -
  echo 'int something_else;' | gcc -shared -fPIC -o out/build/none/libzus.so -x c -
  expect "with a library of another version" 2 'libzus 9.9.9, but this ZoomUserStatus needs 0.1' env LD_LIBRARY_PATH=out/build/wrong "$DOTNET" out/examples/bin/UpdateStatus/UpdateStatus.dll ada@example.com deactivate
  expect "with a library of that name only" 2 'has no function zus_version' env LD_LIBRARY_PATH=out/build/none "$DOTNET" out/examples/bin/UpdateStatus/UpdateStatus.dll ada@example.com deactivate
else
  skip "a library of another version: no gcc"
fi

# The package as a program gets it: the assembly from lib/, the native file from runtimes/, found through deps.json.
if [ -z "$SDK" ] && [ -f out/ZoomUserStatus.0.1.0.nupkg ]; then
  P=out/examples/package; rm -rf $P; mkdir -p $P
  python3 -m zipfile -e out/ZoomUserStatus.0.1.0.nupkg $P/nupkg
  cp $P/nupkg/lib/net8.0/ZoomUserStatus.dll $P/ && cp -r $P/nupkg/runtimes $P/ && cp out/examples/bin/UpdateStatus/UpdateStatus.{dll,runtimeconfig.json} $P/
  cat > $P/UpdateStatus.deps.json <<JSON
{"runtimeTarget":{"name":".NETCoreApp,Version=v8.0"},"targets":{".NETCoreApp,Version=v8.0":{
"UpdateStatus/1.0.0":{"dependencies":{"ZoomUserStatus":"0.1.0"},"runtime":{"UpdateStatus.dll":{}}},
"ZoomUserStatus/0.1.0":{"runtime":{"lib/net8.0/ZoomUserStatus.dll":{}},"runtimeTargets":{"runtimes/$RID/native/libzus.so":{"rid":"$RID","assetType":"native"}}}}},
"libraries":{"UpdateStatus/1.0.0":{"type":"project","serviceable":false,"sha512":""},"ZoomUserStatus/0.1.0":{"type":"package","serviceable":false,"sha512":""}}}
JSON
  expect "the package's files run" 0 '^HTTP 204$' env -u LD_LIBRARY_PATH "$DOTNET" $P/UpdateStatus.dll ada@example.com activate
fi
exec {ZOOM[1]}>&- || true
wait "$ZOOM_PID" 2>/dev/null || true

echo "$PASSED passed, $FAILED failed, $SKIPPED skipped"
[ "$FAILED" = 0 ]
