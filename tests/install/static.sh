# Sourced by run.sh. What the static library offers: zus_* and nothing else, so that a program keeps its own libm, exports
# nothing of Rust's, and can have another library that Rust made.
native=$(packaging/native-libs.sh)
cat >"$work/arithmetic.c" <<'E2'
#include <math.h>
#include <stdio.h>
#include <zus.h>
int main(int argc, char **argv) {
  double x = 0.1 * argc;
  (void)argv;
  printf("%s %a %a %a\n", zus_version(), cbrt(x), fma(x, x, x), floor(x));
  zus_config_free(zus_config_new());
  return 0;
}
E2
# shellcheck disable=SC2086
links() { cc "$@" -I"$plain/include" "$plain/lib/libzus.a" $native; }
globals() { nm -g --defined-only "$1" | awk 'NF == 3 { print $3 }' | sort -u; }
listed=$(awk '!/^#/ && $1 ~ /^zus_/ { print $1 }' tests/abi/symbols.txt | sort -u)
test_ "the static library offers the functions of tests/abi/symbols.txt and nothing else" \
  diff <(printf '%s\n' "$listed") <(globals "$plain/lib/libzus.a")
test_ "a program with it links" links -O0 -fno-builtin "$work/arithmetic.c" -o "$work/arithmetic"
test_ "and runs" "$work/arithmetic"
for name in cbrt fma floor; do
  test_ "its $name is libm's" sh -c 'nm -D --undefined-only "$0" | grep -E " $1(@|\$)" && ! nm -D --defined-only "$0" | grep -w "$1"' "$work/arithmetic" $name
done
test_ "with --gc-sections a program is below 4 MB" sh -c '[ "$(stat -c %s "$0")" -lt 4000000 ]' \
  "$(links -O1 -Wl,--gc-sections "$call_c" -o "$work/small" 2>&1; echo "$work/small")"
test_ "and calls" "$work/small" "$api" "$oauth"
echo 'int offboard(void) { return zus_version() != 0; }' | sed '1i #include <zus.h>' >"$work/plugin.c"
plugin() { links -shared -fPIC "$work/plugin.c" -o "$work/plugin.so" "$@"; }
test_ "a shared object with it links" plugin
exports() { nm -D --defined-only "$1" | awk 'NF == 3 { print $3 }' | sort -u; }
test_ "and exports its own function and zus_* alone" diff <(printf '%s\n' offboard "$listed" | sort -u) <(exports "$work/plugin.so")
test_ "with --exclude-libs its own function alone" plugin -Wl,--exclude-libs,libzus.a
test_ "that is so" test "$(exports "$work/plugin.so")" = offboard

# A panic inside is still caught: unwinding tables and thread-local storage are whole. tests/c/panic.c makes one.
panics() { links -std=gnu11 -O1 tests/c/panic.c -o "$work/panic" -pthread && ZUS_SANDBOX=$sandbox "$work/panic"; }
test_ "a panic inside becomes ZUS_ERR_PANIC, statically too" panics

# Another static library that Rust made, with a runtime of its own, every member of both linked in.
printf '%s\n' '#[unsafe(no_mangle)] pub extern "C" fn other() -> i32 { std::panic::catch_unwind(|| panic!("caught")).is_err() as i32 }' >"$work/other.rs"
printf '%s\n' '#include <zus.h>' 'int other(void);' 'int main(void) { return !(other() && zus_version()); }' >"$work/two.c"
# shellcheck disable=SC2086
two() {
  rustc --edition 2024 --crate-type staticlib -C panic=unwind -o "$work/libother.a" "$work/other.rs" &&
    cc -I"$plain/include" "$work/two.c" -Wl,--whole-archive "$plain/lib/libzus.a" "$work/libother.a" -Wl,--no-whole-archive $native -o "$work/two" && "$work/two"
}
test_ "two libraries that Rust made, in one program" two
