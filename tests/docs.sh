#!/usr/bin/env bash
# What the documents say is true: links and anchors exist, code compiles and runs, every code is explained, the words are the
# project's, the API reference builds without a warning, and the workflows are valid.
set -uo pipefail
cd "$(dirname "$0")/.."
tests/tools.sh doxygen cmake pkg-config node npm
exec python3 tests/docs.py
