#!/bin/sh
# The API reference from include/zus.h with doxygen, into target/docs/html. A warning is an error.
set -eu
cd "$(dirname "$0")/.."
PREFIX= . packaging/names.sh
export ZUS_VERSION="$version" ZUS_DOCS="${ZUS_DOCS:-target/docs}"
mkdir -p "$ZUS_DOCS"
doxygen docs/Doxyfile
echo "$ZUS_DOCS/html/index.html"
