# What the files are called, for install.sh, uninstall.sh and dist.sh, which read this. Sets prefix, libdir, version,
# description, abi, target, os, and the names of the libraries as cargo builds them (built_*) and as they are installed.

prefix=${PREFIX:-/usr/local}
libdir=${LIBDIR:-lib}
case $libdir in
  /* | [A-Za-z]:*) ;;
  *) libdir=$prefix/$libdir ;;
esac
DESTDIR=${DESTDIR:-}
value() { sed -n "s/^$1 = \"\(.*\)\"\$/\1/p" Cargo.toml | head -1; }
version=$(value version)
description=$(value description)
constant() { sed -n "s/^const $1: &str = \"\(.*\)\";\$/\1/p" build.rs; }
abi=$(constant ABI)
abi_since=$(constant ABI_SINCE)
[ -n "$version" ] && [ -n "$abi" ] && [ -n "$abi_since" ] || { echo "no version in Cargo.toml, or no ABI in build.rs" >&2; exit 1; }
target=${CARGO_BUILD_TARGET:-$("${RUSTC:-rustc}" -vV 2>/dev/null | sed -n 's/^host: //p')}
case ${target:-$(uname -s)} in
  *windows-msvc) os=windows-msvc ;;
  *windows-gnu*) os=windows-gnu ;;
  MINGW* | MSYS* | CYGWIN*) os=windows-msvc ;;
  *apple-darwin | Darwin) os=macos ;;
  *) os=linux ;;
esac
case $os in
  linux)
    built_shared=libzus.so built_static=libzus.a
    shared=libzus.so.$version soname=libzus.so.$abi linkname=libzus.so static=libzus.a
    ;;
  macos)
    built_shared=libzus.dylib built_static=libzus.a
    shared=libzus.$version.dylib soname=libzus.$abi.dylib linkname=libzus.dylib static=libzus.a
    ;;
  windows-gnu)
    built_shared=zus.dll built_import=libzus.dll.a built_static=libzus.a
    shared=zus.dll import=libzus.dll.a static=libzus.a
    ;;
  windows-msvc)
    built_shared=zus.dll built_import=zus.dll.lib built_static=zus.lib
    # zus.lib is what -lzus and #pragma comment(lib, "zus.lib") find: the DLL, as everywhere else.
    shared=zus.dll import=zus.lib static=zus_static.lib
    ;;
esac

# The same, as the CMake package says it.
cmake_static_properties=
case $os in
  linux)
    cmake_shared="\${_zus_libdir}/$shared"
    cmake_shared_properties="IMPORTED_SONAME \"$soname\""
    ;;
  macos)
    cmake_shared="\${_zus_libdir}/$shared"
    cmake_shared_properties="IMPORTED_SONAME \"@rpath/$soname\""
    ;;
  windows*)
    cmake_shared="\${_zus_prefix}/bin/$shared"
    cmake_shared_properties="IMPORTED_IMPLIB \"\${_zus_libdir}/$import\""
    cmake_static_properties="INTERFACE_COMPILE_DEFINITIONS ZUS_STATIC"
    ;;
esac
