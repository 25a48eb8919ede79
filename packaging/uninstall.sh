#!/bin/sh
# Removes what install.sh put there; PREFIX, LIBDIR and DESTDIR as for install.sh.
set -eu
cd "$(dirname "$0")/.."
. packaging/names.sh

lib=$DESTDIR$libdir
there=$DESTDIR$prefix
rm -f "$there/include/zus.h" "$there/include/zus.hpp" "$there/include/zus_fwd.hpp" "$there/share/man/man3/zus.3" \
  "$there/share/licenses/zus/LICENSE-MIT" "$there/share/licenses/zus/LICENSE-APACHE" \
  "$there/share/licenses/zus/THIRD-PARTY-NOTICES.txt" "$there/share/zus/valgrind.supp" "$lib/$static" "$lib/pkgconfig/zus.pc" "$lib/cmake/zus/zus-config.cmake" "$lib/cmake/zus/zus-config-version.cmake"
case $os in
  windows*) rm -f "$there/bin/$shared" "$lib/$import" ;;
  *) rm -f "$lib/$shared" "$lib/$soname" "$lib/$linkname" ;;
esac
rmdir "$lib/cmake/zus" "$there/share/licenses/zus" "$there/share/zus" 2>/dev/null || true
echo "removed libzus from $there"
