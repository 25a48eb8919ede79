#!/usr/bin/env bash
# with-sandbox.sh COMMAND...: runs it with a sandbox in Zoom's place: ZOOM_API_URL and the others are in its environment.
# On Linux, macOS and Windows (Git Bash). ZUS_SANDBOX: the sandbox program.
set -euo pipefail
repo=$(cd "$(dirname "$0")/../.." && pwd)
said=$(mktemp)
"${ZUS_SANDBOX:-$repo/target/debug/examples/sandbox}" --quiet >"$said" &
pid=$!
trap 'kill "$pid"; rm -f "$said"' EXIT
for _ in $(seq 100); do grep -q '^ready' "$said" && break; sleep 0.1; done
while IFS='=' read -r name value; do
  [ "$name" = ready ] || export "$name=$value"
done < <(tr -d '\r' <"$said")
"$@"
