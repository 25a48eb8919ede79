#!/bin/sh
# Removes what install.sh put there; PREFIX, LIBDIR and DESTDIR as for install.sh.
set -eu
cd "$(dirname "$0")/.."
. packaging/names.sh

lib=$DESTDIR$libdir
rm -f "$DESTDIR$prefix/include/zus.h" "$DESTDIR$prefix/include/zus.hpp" "$DESTDIR$prefix/share/man/man3/zus.3" \
  "$lib/$static" "$lib/pkgconfig/zus.pc" "$lib/cmake/zus/zus-config.cmake" "$lib/cmake/zus/zus-config-version.cmake"
case $os in
  windows*) rm -f "$DESTDIR$prefix/bin/$shared" "$lib/$import" ;;
  *) rm -f "$lib/$shared" "$lib/$soname" "$lib/$linkname" ;;
esac
rmdir "$lib/cmake/zus" 2>/dev/null || true
echo "removed libzus from $DESTDIR$prefix"
