#!/bin/sh
# Fails unless every file that states the version states this one, and CHANGELOG.md has a section for it with its day:
# versions.sh 0.1.0, and unless Cargo.toml says where the project lives. Without an argument: the version in Cargo.toml, which may
# be "not released yet".
set -eu
cd "$(dirname "$0")/.."
wanted=${1:-$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -1)}
bad=0
state() { # state FILE WHAT-IT-SAYS [WANTED]
  if [ "$2" != "${3:-$wanted}" ]; then
    echo "$1 says '$2', not '${3:-$wanted}'" >&2
    bad=1
  fi
}
define() { sed -n "s/^#define ZUS_VERSION_$1 //p" include/zus.h; }
state Cargo.toml "$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -1)"
state Cargo.lock "$(sed -n '/^name = "zoom-user-status"$/{n;s/^version = "\(.*\)"$/\1/p;}' Cargo.lock)"
state include/zus.h "$(define MAJOR).$(define MINOR).$(define PATCH)"
state bindings/csharp/Directory.Build.props "$(sed -n 's|.*<Version>\(.*\)</Version>.*|\1|p' bindings/csharp/Directory.Build.props)"
manifest=bindings/powershell/module/ZoomUserStatus.psd1
state $manifest "$(sed -n "s/^    ModuleVersion = '\(.*\)'\$/\1/p" $manifest)"
state packaging/zus.3 "$(sed -n 's/^\.TH .*"libzus \([0-9.]*\)".*/\1/p' packaging/zus.3)" "${wanted%.*}"
python=bindings/python/src/zoom_user_status/__init__.py
state $python "$(sed -n 's/^__version__ = "\(.*\)"$/\1/p' $python)"
state bindings/node/package.json "$(sed -n 's/^  "version": "\(.*\)",$/\1/p' bindings/node/package.json)"
state bindings/node/package-lock.json "$(sed -n '1,5s/^  "version": "\(.*\)",$/\1/p' bindings/node/package-lock.json)"
if [ $# != 0 ]; then
  for field in repository homepage documentation; do
    url=$(sed -n "s/^$field = \"\(.*\)\"\$/\1/p" Cargo.toml)
    case $url in
      https://*.invalid | https://*.invalid/*) echo "Cargo.toml: $field is still a placeholder: $url" >&2; bad=1 ;;
      https://?*) ;;
      *) echo "Cargo.toml has no $field" >&2; bad=1 ;;
    esac
  done
  packaging/notes.sh "$wanted" >/dev/null || bad=1
  if grep -i '^## .*not released' CHANGELOG.md >&2; then bad=1; fi
fi
exit $bad
