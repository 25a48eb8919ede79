#!/usr/bin/env bash
# Installs into a scratch folder, moves it, and builds the consumer projects against it: CMake and pkg-config, shared and
# static, C and C++. Each program then calls the sandbox. Also: uninstall, the man page, and the archive of dist.sh.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
repo=$(cd "$here/../.." && pwd)
cd "$repo"
export ZUS_LIB_DIR=${ZUS_LIB_DIR:-$repo/target/release}
sandbox=${ZUS_SANDBOX:-$repo/target/debug/examples/sandbox}
unset LD_LIBRARY_PATH PKG_CONFIG_PATH CMAKE_PREFIX_PATH DESTDIR PREFIX LIBDIR CARGO_TARGET_DIR CARGO_BUILD_TARGET MAKEFLAGS MAKELEVEL
passed=0 failed=0 skipped=0
work=$(mktemp -d)
trap 'exec 9>&-; rm -rf "$work"' EXIT

# test_ NAME COMMAND...
test_() {
  local name=$1
  shift
  if "$@" >"$work/output" 2>&1; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "FAILED: $name"
    tail -n 20 "$work/output" | sed 's/^/  /'
  fi
}

have() { # have COMMAND WHAT
  tests/tools.sh "$1"
  command -v "$1" >/dev/null && return
  echo "SKIPPED: $2: no $1"
  skipped=$((skipped + 1))
  return 1
}

triplet=$(cc -print-multiarch)
[ -n "$triplet" ] || triplet=$(uname -m)-linux-gnu
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -1)

# --- install ---
DESTDIR=$work/stage PREFIX=/opt/zus test_ "install into DESTDIR" packaging/install.sh
cat >"$work/expected" <<E1
include/zus.h
include/zus.hpp
include/zus_fwd.hpp
lib/cmake/zus/zus-config-version.cmake
lib/cmake/zus/zus-config.cmake
lib/libzus.a
lib/libzus.so
lib/libzus.so.0
lib/libzus.so.$version
lib/pkgconfig/zus.pc
share/licenses/zus/LICENSE-APACHE
share/licenses/zus/LICENSE-MIT
share/licenses/zus/THIRD-PARTY-NOTICES.txt
share/man/man3/zus.3
share/zus/valgrind.supp
E1
files() { (cd "$1" && find . ! -type d | sed 's|^\./||' | sort); }
test_ "these files and no others" diff "$work/expected" <(files "$work/stage/opt/zus")
test_ "nothing beside the prefix" diff <(echo opt/zus) <(cd "$work/stage" && find . -mindepth 2 -maxdepth 2 | sed 's|^\./||')
# A moved prefix: from here on everything is built against this.
mkdir "$work/moved here"
mv "$work/stage/opt/zus" "$work/moved here/zus"
moved=$work/moved\ here/zus
# A rule of make can't have a path with a space.
mkdir "$work/moved"
cp -a "$moved" "$work/moved/zus"
plain=$work/moved/zus

test_ "no path of this machine in what is installed" sh -c '! grep -rlF -e "$0" -e "$1" --include=*.pc --include=*.cmake --include=*.3 --include=*.h* "$2"' "$repo" "$work" "$plain"
test_ "the soname" sh -c 'readelf -d "$0" | grep -F "Library soname: [libzus.so.0]"' "$plain/lib/libzus.so"
test_ "the links are relative" test "$(readlink "$plain/lib/libzus.so")" = libzus.so.0 -a "$(readlink "$plain/lib/libzus.so.0")" = "libzus.so.$version"
hostless() { # hostless FILE: no path of this machine in it
  local path
  strings -n 4 "$1" >"$work/strings"
  [ -s "$work/strings" ] || return
  for path in "$repo" "$HOME" "${CARGO_HOME:-$HOME/.cargo}" "$(rustc --print sysroot)"; do
    [ "$path" = / ] || ! grep -F "$path" "$work/strings" || return
  done
}
for library in libzus.so libzus.a; do
  test_ "no path of this machine in $library" hostless "$plain/lib/$library"
done
test_ "the static library is stripped of debug information" sh -c '[ -s "$0" ] && ! readelf -SW "$0" 2>/dev/null | grep -E "\.debug_info|\.llvmbc"' "$plain/lib/libzus.a"
test_ "the static library is below 15 MB" test "$(stat -c %s "$plain/lib/libzus.a")" -lt 15000000
test_ "valgrind reads the suppressions" sh -c '[ "$(grep -c "^{" "$0")" -gt 2 ]' "$plain/share/zus/valgrind.supp"
test_ "the header is the repository's" cmp include/zus.h "$plain/include/zus.h"

# --- consumers ---
mkfifo "$work/alive"
"$sandbox" --until-stdin-closes --quiet <"$work/alive" >"$work/sandbox" &
exec 9>"$work/alive"
for _ in $(seq 100); do grep -q '^ready' "$work/sandbox" && break; sleep 0.1; done
api=$(sed -n 's/^ZOOM_API_URL=//p' "$work/sandbox")
oauth=$(sed -n 's/^ZOOM_OAUTH_URL=//p' "$work/sandbox")
call_c=$repo/tests/platforms/call.c

runs() { # runs WHAT FOLDER: the four programs there
  local program
  for program in c_shared c_static cpp_shared cpp_static; do
    test_ "$1: $program runs" "$2/$program" "$api" "$oauth"
  done
  for program in c cpp; do
    test_ "$1: ${program}_shared needs libzus.so.0" sh -c 'readelf -d "$0" | grep -F "[libzus.so.0]"' "$2/${program}_shared"
    test_ "$1: ${program}_static needs none" sh -c 'readelf -h "$0" && ! readelf -d "$0" | grep -F libzus' "$2/${program}_static"
  done
}

cmake_project() { # cmake_project WHAT PREFIX
  local dir=$work/cmake-$1
  test_ "CMake, $1: find_package" cmake -S "$here/consumer" -B "$dir" -DCMAKE_PREFIX_PATH="$2" -DCALL_C="$call_c"
  test_ "CMake, $1: build" cmake --build "$dir"
  test_ "CMake, $1: it found this one" grep -F "zus_DIR:PATH=$2/" "$dir/CMakeCache.txt"
  runs "CMake, $1" "$dir"
}

make_project() { # make_project WHAT LIBDIR
  local dir=$work/make-$1
  cp -r "$here/consumer" "$dir"
  PKG_CONFIG_PATH=$2/pkgconfig test_ "pkg-config, $1: make" make -C "$dir" CALL_C="$call_c"
  runs "pkg-config, $1" "$dir"
}

PREFIX=$work/multiarch LIBDIR=lib/$triplet test_ "install with a LIBDIR below the prefix" packaging/install.sh
PREFIX=$work/apart LIBDIR=$work/apart-lib test_ "install with a LIBDIR outside of the prefix" packaging/install.sh
if have cmake "find_package"; then
  cmake_project moved "$moved"
  cmake_project multiarch "$work/multiarch"
  # found PREFIX ARGUMENTS...: whether find_package(zus ARGUMENTS...) finds that there
  found() {
    local prefix=$1 project=$work/find
    shift
    rm -rf "$project"
    mkdir "$project"
    printf '%s\n' 'cmake_minimum_required(VERSION 3.16...3.19)' 'project(p C)' "find_package(zus $*)" 'if(NOT zus_FOUND)' \
      ' message(FATAL_ERROR "NOT FOUND: ${zus_NOT_FOUND_MESSAGE}")' 'endif()' >"$project/CMakeLists.txt"
    cmake -S "$project" -B "$project/build" -DCMAKE_PREFIX_PATH="$prefix"
  }
  not_found() { ! found "$@" >"$work/said" 2>&1 && cat "$work/said" && grep -q 'NOT FOUND' "$work/said"; } # and not for another error
  for wanted in 0.0.9 0.2 1.0 1 0.1.1 '0.1.0.1 EXACT' 0.1.1...0.3 '0.1...<0.1' '0.0.1...<0.1.0' '0...0.0.9'; do
    test_ "CMake: find_package(zus $wanted) doesn't find $version" not_found "$moved" "$wanted"
  done
  for wanted in '' 0.1 0.1.0 '0.1.0 EXACT' '0.1...<0.2' 0...1 0.0.1...0.1.0 0.1...0.1; do
    test_ "CMake: find_package(zus $wanted) finds $version" found "$moved" "$wanted"
  done
  sed 's/"0\.1\.0"/"0.2.0"/' "$moved/lib/cmake/zus/zus-config-version.cmake" >"$work/version"
  cp -a "$moved" "$work/zus-0.2.0"
  mv "$work/version" "$work/zus-0.2.0/lib/cmake/zus/zus-config-version.cmake"
  test_ "CMake: find_package(zus 0.1...<0.2) doesn't find 0.2.0" not_found "$work/zus-0.2.0" '0.1...<0.2'
  for wanted in 0.1 0.1...0.2 0.1...0.3; do
    test_ "CMake: find_package(zus $wanted) finds 0.2.0" found "$work/zus-0.2.0" "$wanted"
  done
  test_ "CMake: both components are there" found "$moved" REQUIRED COMPONENTS shared static
  test_ "CMake: an unknown component is not found" not_found "$moved" COMPONENTS statik
  test_ "CMake: and is named" grep -q 'no component statik' "$work/said"
  test_ "CMake: an unknown component that is optional doesn't matter" found "$moved" REQUIRED OPTIONAL_COMPONENTS statik
  cp -a "$moved" "$work/no-static"
  rm "$work/no-static/lib/libzus.a"
  printf 'cmake_minimum_required(VERSION 3.16)\nproject(p C)\nfind_package(zus REQUIRED)\nif(TARGET zus::static OR NOT TARGET zus::zus)\n message(FATAL_ERROR "targets")\nendif()\n' >"$work/CMakeLists.txt"
  test_ "CMake: without the static library there is zus::zus alone" cmake -S "$work" -B "$work/cmake-no-static" -DCMAKE_PREFIX_PATH="$work/no-static"
  test_ "CMake: the static library that is missing is not found" not_found "$work/no-static" COMPONENTS static
  test_ "CMake: the shared one is" found "$work/no-static" COMPONENTS shared OPTIONAL_COMPONENTS static
  # As distributions have it: /lib is a link to /usr/lib.
  DESTDIR=$work/merged PREFIX=/usr LIBDIR=lib/$triplet test_ "install under /usr" packaging/install.sh
  ln -s usr/lib "$work/merged/lib"
  cmake_project root "$work/merged"
  test_ "CMake, a merged /usr: it was found by the link" grep -F "zus_DIR:PATH=$work/merged/lib/" "$work/cmake-root/CMakeCache.txt"
  for by in add_subdirectory FetchContent; do
    dir=$work/cmake-$by
    test_ "CMake, $by: configure, which builds" cmake -S "$here/consumer" -B "$dir" -DCALL_C="$call_c" -DZUS_BY=$by -DZUS_SOURCE="$repo" -DZUS_CARGO_TARGET_DIR="$repo/target"
    test_ "CMake, $by: build" cmake --build "$dir"
    runs "CMake, $by" "$dir"
  done
  test_ "CMake without cargo says what to install" sh -c '! PATH=/usr/bin:/bin HOME=/nonexistent cmake -S "$0" -B "$1" -DZUS_CARGO=ZUS_CARGO-NOTFOUND >"$1.log" 2>&1 && grep -q "install Rust" "$1.log"' "$repo" "$work/cmake-no-cargo"
fi
if have pkg-config "pkg-config"; then
  make_project moved "$plain/lib"
  make_project apart "$work/apart-lib"
  export PKG_CONFIG_PATH=$plain/lib/pkgconfig
  test_ "zus.pc is valid" pkg-config --validate zus
  test_ "zus.pc has the version" test "$(pkg-config --modversion zus)" = "$version"
  test_ "zus.pc has rustc's libraries" test "$(pkg-config --variable=pcfiledir zus >/dev/null; sed -n 's/^Libs.private: //p' "$plain/lib/pkgconfig/zus.pc")" = "$(packaging/native-libs.sh)"
  unset PKG_CONFIG_PATH
  [ -e "$work/merged/usr" ] || DESTDIR=$work/merged PREFIX=/usr LIBDIR=lib/$triplet packaging/install.sh >/dev/null
  under_usr() { PKG_CONFIG_LIBDIR=$work/merged/usr/lib/$triplet/pkgconfig pkg-config "$@" zus | sed 's/ *$//'; }
  test_ "pkg-config under /usr names no folder that compilers know" test "$(under_usr --cflags --libs)" = -lzus
  test_ "nor for a static program" test "$(under_usr --static --libs)" = "-lzus $(packaging/native-libs.sh)"
fi

# --- static programs, as docs/linking.md says ---
static() { # static LIBGCC FLAGS...: call.c with the static library
  local libgcc=$1
  shift
  # shellcheck disable=SC2046
  cc "$@" "$call_c" -I"$plain/include" -o "$work/static" "$plain/lib/libzus.a" $(packaging/native-libs.sh | sed "s/-lgcc_s/$libgcc/")
}
needs() { readelf -d "$work/static" | grep -F "[$1]"; }
test_ "a static program needs libgcc_s.so.1 at run time" eval 'static -lgcc_s && needs libgcc_s.so.1'
test_ "with -lgcc_eh it does not" eval 'static -lgcc_eh && ! needs libgcc_s.so.1 && "$work/static" "$api" "$oauth"'
test_ "a fully static program links with -lgcc_eh only" eval '! static -lgcc_s -static && static -lgcc_eh -static && ! needs libc.so.6'

. "$here/static.sh"

# --- the headers ---
. tests/cpp/headers.sh

# --- make ---
said_by_make() { env -u ZUS_LIB_DIR -u ZUS_SANDBOX "$@" make -s --eval='show: ; @echo "$(ZUS_LIB_DIR) $(ZUS_SANDBOX)"' show; }
if have make "make"; then
  test_ "make: where cargo puts things" test "$(said_by_make)" = "$repo/target/release $repo/target/debug/examples/sandbox"
  test_ "make: it uses CARGO_TARGET_DIR and CARGO_BUILD_TARGET" \
    test "$(said_by_make CARGO_TARGET_DIR=there CARGO_BUILD_TARGET=a-b-c)" = "$repo/there/a-b-c/release $repo/there/a-b-c/debug/examples/sandbox"
  # As root, who has no Rust: the libraries, and what make build writes beside them.
  mkdir -p "$work/built/release"
  cp "$ZUS_LIB_DIR"/libzus.{a,so} "$work/built/release"
  packaging/native-libs.sh >"$work/built/release/native-static-libs"
  without_rust=(env -u ZUS_LIB_DIR CARGO=/nonexistent/cargo RUSTC=/nonexistent/rustc make)
  test_ "make install without cargo installs what was built" "${without_rust[@]}" install PREFIX="$work/as-root" CARGO_TARGET_DIR="$work/built"
  test_ "the same as with it" diff "$work/expected" <(files "$work/as-root")
  test_ "zus.pc too" cmp "$plain/lib/pkgconfig/zus.pc" "$work/as-root/lib/pkgconfig/zus.pc"
  touch -d 1999-12-31 "$work/built/release/native-static-libs"
  test_ "make install builds again what is older than its source" sh -c '! "$@" && [ ! -e '"$work/old"' ]' - "${without_rust[@]}" install PREFIX="$work/old" CARGO_TARGET_DIR="$work/built"
fi
printf '#!/bin/sh\necho host: x86_64-pc-windows-gnu\n' >"$work/rustc"
chmod +x "$work/rustc"
named() { env PREFIX=/p "$@" sh -euc '. packaging/names.sh; echo "$os $static"'; }
test_ "the names are those of rustc's system" test "$(named RUSTC="$work/rustc")" = "windows-gnu libzus.a"
test_ "but for another target" test "$(named RUSTC="$work/rustc" CARGO_BUILD_TARGET=i686-pc-windows-msvc)" = "windows-msvc zus_static.lib"

# --- the man page ---
names=$(grep -oE '\bzus_[a-z_]+\(' include/zus.h | tr -d '(' | sort -u)
missing() { for name in $names; do grep -q "[ *]$name(" packaging/zus.3 || echo "not in the man page: $name"; done; }
test_ "the man page has every function" sh -c 'echo "$0"; [ -z "$0" ]' "$(missing)"
# Its examples are one program: the first one has main.
sed -n '/^\.EX$/,/^\.EE$/{ s/^\\&//; s/\\(aq/'"'"'/g; s/\\-/-/g; s/\\e/\\/g; /^\.E[XE]$/!p; }' packaging/zus.3 >"$work/man.c"
unused() { for name in $names; do grep -q "[^a-z_]$name(" "$work/man.c" || echo "in no example of the man page: $name"; done; }
test_ "the man page has an example of every function" sh -c 'echo "$0"; [ -z "$0" ]' "$(unused)"
test_ "the man page's examples compile" cc -std=c99 -D_POSIX_C_SOURCE=200809L -Wall -Wextra -Werror -I"$plain/include" "$work/man.c" -o "$work/man" -L"$plain/lib" -lzus -pthread -Wl,-rpath,"$plain/lib"
test_ "the first one runs" env $(grep '^ZOOM_' "$work/sandbox") "$work/man"
test_ "the man page's version" grep -q "libzus ${version%.*}\"" packaging/zus.3
if have groff "the man page"; then
  test_ "the man page renders without a warning" sh -c '[ -z "$(groff -man -Tutf8 -ww -z "$0" 2>&1 | tee /dev/stderr)" ]' packaging/zus.3
fi

# --- third-party notices ---
. "$here/notices.sh"

# --- the crate ---
. "$here/crate.sh"

# --- uninstall ---
PREFIX=$work/multiarch LIBDIR=$work/multiarch/lib/$triplet test_ "uninstall" packaging/uninstall.sh
test_ "uninstall leaves nothing" test -z "$(files "$work/multiarch")"
mkdir -p "$work/shared/lib" && echo other >"$work/shared/lib/other"
PREFIX=$work/shared test_ "install beside others" packaging/install.sh
PREFIX=$work/shared test_ "uninstall beside others" packaging/uninstall.sh
test_ "uninstall leaves others alone" test "$(files "$work/shared")" = lib/other
PREFIX=$work/empty ZUS_LIB_DIR=$work/nothing test_ "without a build, install says so and puts nothing" sh -c '! packaging/install.sh && [ ! -e "$PREFIX" ]'

# --- dist ---
DIST_DIR=$work/dist test_ "an archive" packaging/dist.sh
archive=$(cd "$work/dist" && echo libzus-"$version"-*.tar.gz)
test_ "its checksum" sh -c 'cd "$0" && sha256sum -c --strict SHA256SUMS && grep -q tar.gz SHA256SUMS' "$work/dist"
cp "$work/dist/$archive" "$work/first"
DIST_DIR=$work/dist test_ "the archive again" packaging/dist.sh
test_ "it is the same, byte for byte" cmp "$work/first" "$work/dist/$archive"
test_ "one line a file in SHA256SUMS" test "$(wc -l <"$work/dist/SHA256SUMS")" = 1
mkdir "$work/unpacked"
test_ "it unpacks into one folder" sh -c 'tar -C "$0" -xzf "$1" && [ "$(ls "$0" | wc -l)" = 1 ]' "$work/unpacked" "$work/dist/$archive"
unpacked=$(echo "$work"/unpacked/*)
for file in LICENSE-MIT LICENSE-APACHE THIRD-PARTY-NOTICES.txt README.md CHANGELOG.md docs/linking.md include/zus.h lib/libzus.a; do
  test_ "the archive has $file" test -s "$unpacked/$file"
done
command -v cmake >/dev/null && ZUS_SANDBOX=$sandbox test_ "programs built against the archive run" tests/install/archive.sh "$work/dist/$archive"

# --- make packages ---
. "$here/packages.sh"

[ $skipped = 0 ] && echo "$passed passed, $failed failed" || echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
