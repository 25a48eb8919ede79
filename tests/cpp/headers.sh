# Sourced by tests/install/run.sh: what compilers say of the installed headers, and of callers who hold them wrong.
compile() { "$@" -I"$plain/include" -fsyntax-only; }
warns() { # warns WARNING COMMAND...: this warning, which -Werror makes an error, and no other error
  local warning=$1
  shift
  ! compile "$@" >"$work/said" 2>&1 && cat "$work/said" && grep -qF -- "$warning" "$work/said" && [ "$(grep -c 'error:' "$work/said")" = 1 ]
}
printf '%s\n' '#include <zus.h>' 'int main(void) { zus_code code = ZUS_OK; return code; }' >"$work/h.c"
printf '%s\n' '#include <zus.hpp>' 'int main() { return zus::version().empty(); }' >"$work/h.cpp"
printf '%s\n' '#include <zus_fwd.hpp>' 'zus::code off(const zus::client &, zus::action);' '#ifdef ZUS_H' '#error "more than names"' '#endif' \
  '#include <zus.hpp>' 'zus::code off(const zus::client &c, zus::action a) { return c.update("x", a).code(); }' >"$work/fwd.cpp"
printf '%s\n' '#include <zus.hpp>' 'void f(const zus::client &zoom) {' \
  '#ifdef KEPT' '  const auto result = zoom.deactivate("ada@example.com");' '  std::string_view m = result.message();' '  static_cast<void>(zoom.deactivate("ada@example.com").message().size());' \
  '  zus::client other{zus::config().token("t")};' '  auto made = zus::config().token("t");' \
  '#elif defined(SETTER)' '  auto &&m = zus::config().token("t");' '#elif defined(HANDLE)' '  auto *m = zus::client(zus::config()).get();' \
  '#else' '  std::string_view m = zoom.deactivate("ada@example.com").CALL;' '#endif' '  static_cast<void>(m);' '}' >"$work/dangling.cpp"

if have gcc "gcc's warnings"; then
  for standard in c99 c11 c17 c2x; do
    test_ "zus.h as $standard with gcc -Wc++-compat" compile gcc -std=$standard -Wall -Wextra -Wpedantic -Wundef -Wc++-compat -Werror "$work/h.c"
  done
fi
if have g++ "g++'s warnings"; then
  test_ "zus_fwd.hpp with g++" compile g++ -std=c++17 -Wall -Wextra -Wpedantic -Werror "$work/fwd.cpp"
  test_ "zus_fwd.hpp with g++, no exceptions" compile g++ -std=c++17 -fno-exceptions -Wall -Wextra -Wpedantic -Werror "$work/fwd.cpp"
  for header in zus.hpp zus_fwd.hpp; do
    echo "#include <$header>" >"$work/old.cpp"
    for standard in c++11 c++14; do
      test_ "$header says that it needs C++17, as $standard" sh -c '! "$@" 2>"$0" && grep "error: #error \"zus.hpp needs C++17" "$0"' \
        "$work/said" g++ -std=$standard -I"$plain/include" -fsyntax-only "$work/old.cpp"
    done
  done
fi
if have clang "clang's warnings"; then
  for standard in c++17 c++20 c++2b; do
    for exceptions in '' -fno-exceptions; do
      test_ "zus.hpp as $standard with clang's warnings on documentation, vtables and destructors $exceptions" \
        compile clang++ -std=$standard $exceptions -Wall -Wextra -Wpedantic -Wdocumentation -Wdocumentation-unknown-command -Wweak-vtables \
        -Wexit-time-destructors -Wglobal-constructors -Wmissing-noreturn -Werror "$work/h.cpp"
    done
  done
  test_ "zus_fwd.hpp with clang" compile clang++ -std=c++17 -Wall -Wextra -Wpedantic -Werror "$work/fwd.cpp"
  for call in 'message()' 'user_id()' 'tracking_id()' 'body()' 'header("date")'; do
    test_ "clang warns of the $call of a result that is gone" warns -Wdangling clang++ -std=c++17 -Werror=dangling "-DCALL=$call" "$work/dangling.cpp"
  done
  test_ "clang warns of a handle whose client is gone" warns -Wdangling clang++ -std=c++17 -Werror=dangling -DHANDLE "$work/dangling.cpp"
  test_ "clang warns of a reference to a config that is gone" warns -Wdangling clang++ -std=c++17 -Werror=dangling -DSETTER "$work/dangling.cpp"
  test_ "and of nothing that is kept" compile clang++ -std=c++17 -Wall -Wextra -Wno-unused-variable -Werror -DKEPT "$work/dangling.cpp"
fi

# --- pthread_cancel, as docs/threads.md says ---
cancelled() { cc -std=gnu99 -Wall -Wextra -Werror -I"$plain/include" tests/cpp/pthread_cancel.c -o "$work/pthread_cancel" "$plain/lib/libzus.so" -Wl,-rpath,"$plain/lib" -pthread && "$work/pthread_cancel" "$1" "$api" >"$work/said"; }
test_ "a call with cancellation disabled ends as always" cancelled disabled
test_ "by its zus_cancel, the thread after it, and the client works on" diff "$work/said" <(printf '%s\n' ZUS_ERR_CANCELLED 'then the thread was cancelled' ZUS_OK)
test_ "with cancellation enabled the process ends: no call returns in an unknown state" eval '! cancelled enabled && [ ! -s "$work/said" ]'
