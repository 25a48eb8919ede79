#!/usr/bin/env bash
# Threads under ThreadSanitizer and AddressSanitizer, with a library and a std that are built for them; otherwise std's locks
# look like races, and the library's own accesses are not seen. Rust's tests, and C and C++ programs with the static library.
# Debian's Rust brings std's source, rustup's the runtimes of the sanitizers. x86-64 Linux.
#   tests/soak/sanitizers.sh [thread|address]...     default: both. ZUS_SECONDS: how long each test runs, default 5.
set -euo pipefail
repo=$(cd "$(dirname "$0")/../.." && pwd)
cd "$repo"
[ $# -gt 0 ] || set -- thread address
target=x86_64-unknown-linux-gnu
export ZUS_SANDBOX=${ZUS_SANDBOX:-$repo/target/debug/examples/sandbox} ZUS_SECONDS=${ZUS_SECONDS:-5}
unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY
. tests/platforms/setup.sh
setup_rust >/dev/null
tests/tools.sh clang
export TSAN_OPTIONS=halt_on_error=1

for sanitizer; do
  out=$repo/target/${sanitizer:0:1}san
  mkdir -p "$out"
  # What a program is linked with: the runtime, whole, by rustup's lld, as ld can't link AddressSanitizer's thread-local storage.
  # The last flag is for functions of libc that it only names.
  beside_rustc=$(rustc --print sysroot)/lib/rustlib/$target
  runtime=$(echo "$beside_rustc/lib"/librustc-*_rt."${sanitizer:0:1}san.a")
  [ -f "$runtime" ] || { echo "there is no runtime of the $sanitizer sanitizer beside rustc"; exit 1; }
  libraries=("-B$beside_rustc/bin/gcc-ld" -fuse-ld=lld -Wl,--whole-archive "$runtime" -Wl,--no-whole-archive -Wl,--no-as-needed
    -lstdc++ -lm -ldl -lpthread -lrt -lresolv -lgcc_s -lgcc -lc -Wl,--export-dynamic -Wl,--unresolved-symbols=ignore-all)
  cat >"$out/linker" <<LINKER
#!/bin/sh
case " \$* " in *" -shared "*) exec ${CC:-cc} "\$@" ;; esac
exec ${CC:-cc} "\$@" ${libraries[*]}
LINKER
  chmod +x "$out/linker"
  export CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER=$out/linker CARGO_TARGET_DIR=$out
  export CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS="-Zsanitizer=$sanitizer -Zexternal-clangrt"
  std=(-Z "build-std=std,panic_unwind,test" --target "$target")

  export ASAN_OPTIONS=detect_leaks=0 # in build scripts and tests, which free little at their end
  echo "$sanitizer sanitizer: tests/hostile.rs"
  "$cargo" test --quiet --locked "${std[@]}" --test hostile -- thirty_two_threads a_batch_that_ends_early a_callback_may_call \
    started_calls

  echo "$sanitizer sanitizer: C and C++"
  "$cargo" rustc --quiet --locked "${std[@]}" --lib --crate-type staticlib
  # Compiled by clang for its own runtime, whose functions Rust's has; linked with that one.
  flags=(-O1 -g -fno-omit-frame-pointer "-fsanitize=$sanitizer" -D_GNU_SOURCE -Iinclude)
  clang -std=c11 "${flags[@]}" -c tests/c/start.c -o "$out/start.o"
  clang++ -std=c++17 "${flags[@]}" -c tests/cpp/started.cpp -o "$out/started.o"
  for name in start started; do
    "${CC:-cc}" "$out/$name.o" "$out/$target/debug/libzus.a" -o "$out/$name" "${libraries[@]}"
    ASAN_OPTIONS=detect_leaks=1 ZUS_TEST_EVENTS=50000 timeout 600 "$out/$name"
  done
done
