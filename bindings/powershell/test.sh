#!/usr/bin/env bash
# Makes the module's folder, and tests it with Pester against the sandbox, in pwsh.
#   ZUS_SANDBOX   the sandbox program (default <repo>/target/debug/examples/sandbox)
#   $1            a folder with the module, made before; without it, it is made
#   ZUS_TESTS     a part of the names of the files to run
set -uo pipefail
cd "$(dirname "$0")/../.."
for tool in pwsh dotnet; do
  if ! command -v $tool >/dev/null; then
    what=$([ $tool = pwsh ] && echo "PowerShell" || echo ".NET SDK")
    echo "SKIPPED: no $what: there is no $tool on PATH, so bindings/powershell is not tested"
    echo "0 passed, 0 failed"
    exit 0
  fi
done
ldconfig -p 2>/dev/null | grep -q libicu || export DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1
out=$PWD/target/test-powershell
mkdir -p "$out"
export ZUS_SANDBOX=${ZUS_SANDBOX:-$PWD/target/debug/examples/sandbox} POWERSHELL_TELEMETRY_OPTOUT=1 POWERSHELL_UPDATECHECK=Off NO_COLOR=1
export ZUS_MODULE=${1:-$out/packages/ZoomUserStatus}
if [ -z "${1:-}" ] && ! bindings/powershell/package.sh "$out/packages" >"$out/package.log" 2>&1; then
  tail -n 25 "$out/package.log"
  echo "FAIL: the module is not made"
  echo "0 passed, 1 failed"
  exit 1
fi
# What the tests mean to be absent must be absent.
unset ZOOM_ACCESS_TOKEN ZOOM_ACCOUNT_ID ZOOM_CLIENT_ID ZOOM_CLIENT_SECRET ZOOM_API_URL ZOOM_OAUTH_URL ZUS_LIBRARY LD_LIBRARY_PATH
unset http_proxy https_proxy all_proxy no_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY
exec pwsh -NoProfile -NonInteractive -File bindings/powershell/tests/run.ps1
