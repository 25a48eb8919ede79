#!/usr/bin/env bash
# Every piece of code on the languages' pages (docs/c.md and so on) is extracted and run against the sandbox; see pages.py.
#   ZUS_LIB_DIR   where libzus.so is (default <repo>/target/release)
#   ZUS_SANDBOX   the sandbox program (default <repo>/target/debug/examples/sandbox)
#   run.sh PAGE...  only these, e.g. `run.sh python csharp`
set -uo pipefail
cd "$(dirname "$0")/../.."
tests/tools.sh openssl pkg-config node npm
exec python3 -B tests/pages/pages.py "$@"
