# Sourced by run.sh. THIRD-PARTY-NOTICES.txt against the dependency tree, without the tool that made it.
targets=$(sed -n 's/^  "\(.*\)",$/\1/p' packaging/about.toml)
for target in $targets; do
  cargo tree --locked -e normal --no-dedupe --prefix none -f '{p}' --target "$target" || echo "no tree for $target"
done 2>&1 | sed -n 's/^\([^ ]*\) v\([^ ]*\).*/  \1 \2/p; /^no tree/p' | grep -v '^  zoom-user-status ' | sort -u >"$work/tree"
grep -E '^  [a-z0-9_-]+ [0-9]+\.[0-9]+\.[0-9]+[^ ]*$' THIRD-PARTY-NOTICES.txt | sort -u >"$work/noticed"
in_the_lock() { # name and version of each crate noticed
  while read -r name crate_version; do
    grep -A1 -Fx "name = \"$name\"" Cargo.lock | grep -qFx "version = \"$crate_version\"" || echo "not in Cargo.lock: $name $crate_version"
  done <"$work/noticed"
}
test_ "the notices are about the targets of a release" test -z "$(for target in $(grep -oE '\{ target: [a-z0-9_-]+' .github/workflows/release.yml | sed 's/.* //' | sort -u); do grep -qxF "$target" <<<"$targets" || echo "$target"; done)"
test_ "there is a tree to compare the notices with" test "$(wc -l <"$work/tree")" -gt 30
test_ "the notices have each crate of the tree, in its version (packaging/third-party.sh)" diff <(comm -23 "$work/tree" "$work/noticed") /dev/null
test_ "the notices have no crate that is gone (packaging/third-party.sh)" diff <(in_the_lock) /dev/null
for text in 'Copyright 2015-2025 Brian Smith' 'ISC License' 'BSD 3-Clause' 'Isis Agora Lovecruft' 'Permission is hereby granted, free of charge' "Rust's standard library"; do
  test_ "the notices have: $text" grep -qF "$text" THIRD-PARTY-NOTICES.txt
done
