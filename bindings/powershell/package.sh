#!/usr/bin/env bash
# Makes the module's folder, as the PowerShell Gallery gets it: package.sh FOLDER makes FOLDER/ZoomUserStatus.
#   ZUS_NATIVE_DIR  a folder <rid>/native/<file> for each system, as a release packs it; without it
#   ZUS_LIBRARY     this machine's own library (default target/release/libzus.so)
set -euo pipefail
mkdir -p "$1"
out=$(cd "$1" && pwd)/ZoomUserStatus
cd "$(dirname "$0")/../.."
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 MSBUILDDISABLENODEREUSE=1
mkdir -p target
if command -v flock >/dev/null; then # the parts of `make test` run side by side
  exec 9>target/powershell.lock
  flock 9
fi
# Artifacts of its own: the .NET solution may be building the same project at the same time.
artifacts=$PWD/target/powershell/
project=bindings/powershell/ZoomUserStatus.PowerShell/ZoomUserStatus.PowerShell.csproj
dotnet build "$project" -c Release -v quiet "-p:ArtifactsPath=$artifacts" -p:ContinuousIntegrationBuild=true # no path of this machine
rm -rf "$out"
mkdir -p "$out"
cp -R bindings/powershell/module/. LICENSE-MIT LICENSE-APACHE THIRD-PARTY-NOTICES.txt "$out"
for framework in netstandard2.0 net8.0; do
  mkdir -p "$out/lib/$framework"
  cp "$artifacts/bin/ZoomUserStatus.PowerShell/release_$framework"/ZoomUserStatus{,.PowerShell}.dll "$out/lib/$framework"
done
if [ -n "${ZUS_NATIVE_DIR:-}" ]; then
  cp -R "$ZUS_NATIVE_DIR" "$out/runtimes"
else
  rid=$(dotnet msbuild "$project" -getProperty:NETCoreSdkPortableRuntimeIdentifier)
  mkdir -p "$out/runtimes/$rid/native"
  cp "${ZUS_LIBRARY:-target/release/libzus.so}" "$out/runtimes/$rid/native"
fi
# The commands of the module that is just made say which parameters they have.
pwsh -NoProfile -NonInteractive -File bindings/powershell/help.ps1 "$out" "$artifacts/bin/ZoomUserStatus.PowerShell/release_net8.0/ZoomUserStatus.PowerShell.xml"
