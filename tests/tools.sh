#!/bin/sh
# tools.sh [COMMAND...]: installs the Debian packages of those commands that are missing, where it can; without arguments, all
# that the tests use. Several may run at once. Whoever called looks for the command itself, and says what it skips without.
set -u
[ $# -gt 0 ] || set -- gcc g++ clang x86_64-w64-mingw32-g++-posix openssl valgrind strace node npm cmake pkg-config groff doxygen \
  nginx tinyproxy microsocks curl abidiff make
PATH=$PATH:/usr/sbin:/sbin
packages=
for command; do
  command -v "$command" >/dev/null && continue
  case $command in
    abidiff) package=abigail-tools ;;
    groff) package=groff-base ;;
    nginx) package=nginx-light ;;
    node) package=nodejs ;;
    tinyproxy) package=tinyproxy-bin ;;
    x86_64-w64-mingw32-g++-posix) package=g++-mingw-w64-x86-64-posix ;;
    *) package=$command ;;
  esac
  packages="$packages $package"
done
[ -n "$packages" ] && command -v apt-get >/dev/null || exit 0
sudo=
[ "$(id -u)" = 0 ] || sudo="sudo -n"
install() { DEBIAN_FRONTEND=noninteractive $sudo apt-get install -qq -y --no-install-recommends $packages >/dev/null 2>&1; }
# A fresh machine has no lists of packages yet.
(
  flock 9
  install || { $sudo apt-get update -qq >/dev/null 2>&1 && install; }
) 9>"${TMPDIR:-/tmp}/zus-tests-tools.lock"
exit 0
