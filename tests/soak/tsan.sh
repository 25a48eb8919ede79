#!/usr/bin/env bash
# The threaded tests under ThreadSanitizer. std is built for it, too: otherwise its locks look like races. Debian's Rust
# brings std's source, rustup's the sanitizer's runtime. x86-64 Linux.
set -euo pipefail
repo=$(cd "$(dirname "$0")/../.." && pwd)
cd "$repo"
target=x86_64-unknown-linux-gnu
runtime=$(echo "$(rustc --print sysroot)/lib/rustlib/$target/lib/"librustc-*_rt.tsan.a)
[ -f "$runtime" ] || { echo "there is no runtime of ThreadSanitizer beside rustc"; exit 1; }
. tests/platforms/setup.sh
setup_rust >/dev/null

# As a linker: the C compiler, with the runtime for programs. The last flag is for functions of libc that it only names.
mkdir -p target/tsan
linker=$repo/target/tsan/linker
cat >"$linker" <<LINKER
#!/bin/sh
case " \$* " in *" -shared "*) exec ${CC:-cc} "\$@" ;; esac
exec ${CC:-cc} "\$@" -Wl,--whole-archive "$runtime" -Wl,--no-whole-archive -Wl,--no-as-needed -lstdc++ -lm -ldl \
  -lpthread -lrt -lresolv -lgcc_s -lgcc -lc -Wl,--export-dynamic -Wl,--unresolved-symbols=ignore-all
LINKER
chmod +x "$linker"
export CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER=$linker
export CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS="-Zsanitizer=thread -Zexternal-clangrt"
export CARGO_TARGET_DIR=$repo/target/tsan TSAN_OPTIONS=halt_on_error=1 ZUS_SECONDS=5
"$cargo" test --quiet --locked -Z build-std=std,panic_unwind,test --target "$target" --test hostile -- \
  thirty_two_threads a_batch_that_ends_early a_callback_may_call
