# For run.sh: what each platform needs, installed when it is missing, and how to compile and run for it.
# A setup_* function sets cc (the C compiler), runner (what runs a program; empty: nothing can), and cargo's environment.

tools=$repo/.tools/platforms
# A prefix of wine has a link to /, which cargo would follow when it looks for changed files; it leaves target out.
prefixes=$repo/target/platforms/wine
mkdir -p "$prefixes"
cargo=/usr/bin/cargo
build_std=(-Z "build-std=std,panic_unwind,test")
export CARGO_TARGET_DIR=$repo/target/platforms

# install PACKAGE...: with apt-get, those that are missing.
install() {
  local missing=() package
  for package; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} = 0 ] && return
  apt_updated=${apt_updated:-$(apt-get update >&2 && echo yes)}
  DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends --no-remove "${missing[@]}"
}

# Debian's Rust, because it comes with the source of std, from which std is built for any target.
setup_rust() {
  install rustc-web cargo-web rust-web-src || return
  export RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1
}

# linker NAME: the C compiler of this target, for cargo and for ring's C.
linker() {
  local upper=${target^^}
  export "CARGO_TARGET_${upper//-/_}_LINKER=$1" "CC_${target//-/_}=$1"
}

# tests_with COMMAND: what cargo runs the target's tests with.
tests_with() {
  local upper=${target^^}
  export "CARGO_TARGET_${upper//-/_}_RUNNER=$*"
}

setup_i686() {
  setup_rust && install gcc-i686-linux-gnu libc6-dev-i386-cross libc6-i386 lib32gcc-s1 || return
  linker i686-linux-gnu-gcc
  export AR_i686_unknown_linux_gnu=i686-linux-gnu-ar
  cc=(i686-linux-gnu-gcc) runner=(env)
}

setup_aarch64() {
  setup_rust && install gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user || return
  linker aarch64-linux-gnu-gcc
  cc=(aarch64-linux-gnu-gcc) runner=(qemu-aarch64 -L /usr/aarch64-linux-gnu)
  tests_with "${runner[@]}"
}

setup_armv7() {
  setup_rust && install gcc-arm-linux-gnueabihf libc6-dev-armhf-cross qemu-user || return
  linker arm-linux-gnueabihf-gcc
  cc=(arm-linux-gnueabihf-gcc) runner=(qemu-arm -L /usr/arm-linux-gnueabihf)
  tests_with "${runner[@]}"
}

# musl's own gcc can't link Rust's std, which wants an unwinder; zig brings one.
setup_musl_x64() {
  setup_rust && install musl-tools python3-venv || return
  # The same as bindings/python/manylinux.sh uses.
  local python=$repo/.tools/python/manylinux/bin/python
  if ! "$python" -c 'import ziglang' 2>/dev/null; then
    python=$tools/zig/bin/python
    "$python" -c 'import ziglang' 2>/dev/null ||
      { python3 -m venv "$tools/zig" && "$python" -m pip install -q ziglang==0.15.2; } || return
  fi
  cat >"$tools/zig-musl" <<END
#!/usr/bin/env bash
args=()
for a; do
  case \$a in
    -lgcc_s | -lgcc_eh) args+=(-lunwind) ;;
    -lgcc | -m64) ;;
    --target=*) ;;
    *) args+=("\$a") ;;
  esac
done
exec "$python" -m ziglang cc -target x86_64-linux-musl "\${args[@]}"
END
  chmod +x "$tools/zig-musl"
  linker "$tools/zig-musl"
  export CC_x86_64_unknown_linux_musl=musl-gcc
  # Without this cargo makes no shared library, and programs are static.
  export CARGO_TARGET_X86_64_UNKNOWN_LINUX_MUSL_RUSTFLAGS="-C target-feature=-crt-static -C link-self-contained=no"
  cc=("$tools/zig-musl") runner=(env)
  static_flags=(-static) static_libs=-lunwind
}

# Wine 8 lacks bcryptprimitives.dll, which Rust's std imports. This one is for these tests only.
wine_shim() {
  mkdir -p "$2"
  [ -e "$2/bcryptprimitives.dll" ] || "$1" -shared -O1 -o "$2/bcryptprimitives.dll" tests/platforms/bcryptprimitives.c -ladvapi32 -Wl,--kill-at
}

setup_windows_x64() {
  setup_rust && install gcc-mingw-w64-x86-64 wine wine64 || return
  linker x86_64-w64-mingw32-gcc
  cc=(x86_64-w64-mingw32-gcc) exe=.exe
  wine_shim x86_64-w64-mingw32-gcc "$tools/shim64" || return
  export WINEPREFIX=$prefixes/wine64 WINEARCH=win64 WINEDEBUG=-all WINEPATH="Z:${tools//\//\\}\\shim64"
  [ -e "$WINEPREFIX/system.reg" ] || wineboot -i || return
  runner=(wine)
  tests_with wine
}

setup_windows_x86() {
  setup_rust && install gcc-mingw-w64-i686 || return
  linker i686-w64-mingw32-gcc
  cc=(i686-w64-mingw32-gcc) exe=.exe
  # build-std does not make these two.
  mkdir -p "$tools/rt32"
  local o
  for o in rsbegin rsend; do
    [ -e "$tools/rt32/$o.o" ] || /usr/bin/rustc --target "$target" --emit=obj -o "$tools/rt32/$o.o" \
      "/usr/lib/rustlib/src/rust/library/rtstartup/$o.rs" || return
  done
  rustc_args=(-L "native=$tools/rt32")
  test_env=("CARGO_TARGET_I686_PC_WINDOWS_GNU_RUSTFLAGS=-L native=$tools/rt32")
  fetch_wine32 && wine_shim i686-w64-mingw32-gcc "$tools/shim32" || { runs_not="there is no 32-bit wine"; return 0; }
  cp /usr/i686-w64-mingw32/lib/zlib1.dll "$tools/shim32/" || return # wine's own user32.dll wants it
  local wine=$tools/wine32-root/usr/lib/wine
  export WINEPREFIX=$prefixes/wine32 WINEARCH=win32 WINEDEBUG=-all WINEPATH="Z:${tools//\//\\}\\shim32" WINESERVER=$wine/wineserver32
  # It fails for want of fonts, and programs without windows don't mind.
  [ -e "$WINEPREFIX/system.reg" ] || "$wine/wine" wineboot -i || [ -e "$WINEPREFIX/system.reg" ] || return
  runner=("$wine/wine")
  tests_with "${runner[@]}"
}

# 32-bit wine, unpacked into a folder: this machine's apt need not know of the i386 architecture.
fetch_wine32() {
  local root=$tools/wine32-root apt=$tools/wine32-apt
  [ -e "$root/done" ] && return
  install libz-mingw-w64 libc6-i386 || return
  mkdir -p "$root" "$apt/lists/partial" "$apt/archives/partial"
  # The archive that this machine uses, without its security suite.
  local archive
  archive=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | awk '/\/debian\/*$/ && !n++') || return
  echo "deb [arch=i386 signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $archive $(. /etc/os-release && echo "$VERSION_CODENAME") main" >"$apt/sources.list"
  cat >"$apt/apt.conf" <<END
Dir::State "$apt";
Dir::State::status "/var/lib/dpkg/status";
Dir::Cache "$apt";
Dir::Etc::sourcelist "$apt/sources.list";
Dir::Etc::sourceparts "/dev/null";
APT::Architectures { "amd64"; "i386"; };
END
  (cd "$apt" && export APT_CONFIG=$apt/apt.conf && apt-get update && apt-get download wine32:i386 libwine:i386) || return
  local package
  for package in "$apt"/*.deb; do dpkg -x "$package" "$root" || return; done
  rm -rf "$apt"
  touch "$root/done"
}

# Compilers that only create their output: enough for a check, which links nothing.
setup_macos() {
  setup_rust || return
  mkdir -p "$tools"
  cat >"$tools/fake-cc" <<'END'
#!/bin/sh
while [ $# -gt 0 ]; do
  if [ "$1" = -o ]; then : >"$2"; exit 0; fi
  shift
done
END
  cat >"$tools/fake-ar" <<'END'
#!/bin/sh
for a in "$@"; do
  case "$a" in *.a) : >"$a"; exit 0 ;; esac
done
END
  chmod +x "$tools/fake-cc" "$tools/fake-ar"
  export "CC_${target//-/_}=$tools/fake-cc" "AR_${target//-/_}=$tools/fake-ar"
}

# One sandbox over HTTP and one over HTTPS, with a certificate of an authority of our own. They end with this script,
# also when it is killed.
start_sandboxes() {
  local sandbox=${ZUS_SANDBOX:-$repo/target/debug/examples/sandbox} dir=$repo/target/platforms/sandbox
  [ -x "$sandbox" ] || { echo "no $sandbox: run cargo build --example sandbox" >&2; return 1; }
  command -v openssl >/dev/null || install openssl >/dev/null || return
  mkdir -p "$dir"
  (
    cd "$dir"
    openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 -subj "/CN=Test authority" \
      -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign
    openssl req -newkey rsa:2048 -nodes -keyout key.pem -out request.pem -subj /CN=localhost
    printf 'subjectAltName=DNS:localhost\nextendedKeyUsage=serverAuth\n' >extensions
    openssl x509 -req -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -out cert.pem -days 2 -extfile extensions
  ) >"$dir/openssl.log" 2>&1 || { cat "$dir/openssl.log" >&2; return 1; }
  exec {alive}> >(exec "$sandbox" --until-stdin-closes --quiet >"$dir/plain" 2>&1)
  sandboxes=$!
  exec {alive_tls}> >(exec "$sandbox" --until-stdin-closes --quiet --tls "$dir/cert.pem" "$dir/key.pem" >"$dir/tls" 2>&1)
  sandboxes="$sandboxes $!"
  local name
  for name in plain tls; do
    for _ in $(seq 100); do grep -q '^ready' "$dir/$name" 2>/dev/null && break; sleep 0.1; done
    grep -q '^ready' "$dir/$name" || { echo "the sandbox did not start: $(cat "$dir/$name")" >&2; return 1; }
  done
  url() { sed -n "s/^$2=//p" "$dir/$1"; }
  export ZUS_TEST_API=$(url plain ZOOM_API_URL) ZUS_TEST_OAUTH=$(url plain ZOOM_OAUTH_URL)
  export ZUS_TEST_TLS_API=$(url tls ZOOM_API_URL) ZUS_TEST_TLS_OAUTH=$(url tls ZOOM_OAUTH_URL) ZUS_TEST_CA=$dir/ca.pem
}

stop_sandboxes() { [ -z "${sandboxes-}" ] || kill $sandboxes; }
