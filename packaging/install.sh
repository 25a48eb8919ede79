#!/bin/sh
# Installs the release build: libraries, headers, zus.pc, the CMake package, the man page, licenses and valgrind's
# suppressions.
#
#   PREFIX       /usr/local
#   LIBDIR       lib: below PREFIX, unless it is absolute
#   DESTDIR      put before every path, for packagers
#   ZUS_LIB_DIR  where the build is (default: target/release, or target/$CARGO_BUILD_TARGET/release)
#   CARGO_BUILD_TARGET  what it was built for (default: this machine)
set -eu
repo=$(cd "$(dirname "$0")/.." && pwd)
cd "$repo"
. packaging/names.sh

built=${ZUS_LIB_DIR:-${CARGO_TARGET_DIR:-target}/${CARGO_BUILD_TARGET:+$CARGO_BUILD_TARGET/}release}
[ -e "$built/$built_static" ] || { echo "install.sh: no $built/$built_static: run make build first" >&2; exit 1; }
native_libs=$(packaging/native-libs.sh)

put() { # put MODE FROM TO
  mkdir -p "$DESTDIR$(dirname "$3")"
  install -m "$1" "$2" "$DESTDIR$3"
}

link() { # link NAME TARGET
  ln -sf "$2" "$DESTDIR$libdir/$1"
}

# fill FROM TO: @name@ in a template becomes what the environment has for that name.
fill() {
  mkdir -p "$DESTDIR$(dirname "$2")"
  awk '{
    while (match($0, /@[a-z_]+@/)) {
      printf "%s%s", substr($0, 1, RSTART - 1), ENVIRON[substr($0, RSTART + 1, RLENGTH - 2)]
      $0 = substr($0, RSTART + RLENGTH)
    }
    print
  }' "$1" >"$DESTDIR$2"
  chmod 644 "$DESTDIR$2"
}

# Where the prefix is, seen from the library folder: what is installed can be moved as a whole.
case $libdir in
  "$prefix"/*)
    below=${libdir#"$prefix"/}
    up=$(echo "$below" | sed 's|[^/][^/]*|..|g')
    pc_prefix="\${pcfiledir}/../$up"
    pc_libdir="\${prefix}/$below"
    cmake_prefix="\${_zus_here}/../../$up"
    ;;
  *) pc_prefix=$prefix pc_libdir=$libdir cmake_prefix=$prefix ;;
esac
# pkg-config leaves out -I/usr/include and -L/usr/lib, in these words only; and nobody moves /usr.
if [ "$prefix" = /usr ]; then pc_prefix=/usr; fi

put 644 include/zus.h "$prefix/include/zus.h"
put 644 include/zus.hpp "$prefix/include/zus.hpp"
put 644 include/zus_fwd.hpp "$prefix/include/zus_fwd.hpp"
case $os in
  linux) packaging/static.sh "$built/$built_static" "$DESTDIR$libdir/$static" ;;
  *) put 644 "$built/$built_static" "$libdir/$static" ;;
esac
# Without the debug information that Rust's own library brings. MinGW's strip can't: members without a section are in it.
if [ "$os" = macos ]; then ${STRIP:-strip} -S "$DESTDIR$libdir/$static"; fi
# For musl, cargo makes no shared library unless it is told to (docs/linking.md).
if [ -e "$built/$built_shared" ]; then
  case $os in
    windows*)
      put 755 "$built/$built_shared" "$prefix/bin/$shared"
      put 644 "$built/$built_import" "$libdir/$import"
      ;;
    *)
      put 755 "$built/$built_shared" "$libdir/$shared"
      link "$soname" "$shared"
      link "$linkname" "$soname"
      ;;
  esac
fi
export version description abi_since native_libs pc_prefix pc_libdir static cmake_prefix \
  cmake_shared cmake_shared_properties cmake_static_properties
fill packaging/zus.pc.in "$libdir/pkgconfig/zus.pc"
fill cmake/zus-config.cmake.in "$libdir/cmake/zus/zus-config.cmake"
fill cmake/zus-config-version.cmake.in "$libdir/cmake/zus/zus-config-version.cmake"
put 644 packaging/zus.3 "$prefix/share/man/man3/zus.3"
for license in LICENSE-MIT LICENSE-APACHE THIRD-PARTY-NOTICES.txt; do
  put 644 "$license" "$prefix/share/licenses/zus/$license"
done
put 644 tests/c/valgrind.supp "$prefix/share/zus/valgrind.supp"
echo "installed libzus $version to $DESTDIR$prefix"
