# Sourced by run.sh. The crate: what its package holds, what cargo-c is told, and that both tell the truth.
cargo package --list --locked --allow-dirty >"$work/package"
test_ "the crate has what a Rust program and cargo cinstall need" sh -c 'for file; do grep -qxF "$file" "$0" || { echo "$file"; exit 1; }; done' "$work/package" \
  Cargo.toml Cargo.lock build.rs src/lib.rs include/zus.h include/zus.hpp include/zus_fwd.hpp cmake/zus-config.cmake.in cmake/zus-config-version.cmake.in \
  packaging/zus.3 tests/c/valgrind.supp README.md CHANGELOG.md LICENSE-MIT LICENSE-APACHE THIRD-PARTY-NOTICES.txt
test_ "and nothing else: no bindings, no foreign tests, no tools" sh -c '[ -z "$(grep -Ev "^(src/.*\.rs|(include|cmake)/[^/]*|packaging/zus\.3|tests/c/valgrind\.supp|[^/]*)\$|^[^.]*\$" "$0" | tee /dev/stderr)" ] &&
  [ -z "$(grep -E "^(bindings|examples|benches|docs|fuzz|\.(ci|github|tools))/|^(Makefile|CMakeLists\.txt|CONTRIBUTING\.md)\$" "$0" | tee /dev/stderr)" ]' "$work/package"

# --- where the project lives, as at a release ---
release() { # release SED...: packaging/versions.sh VERSION in a copy, changed by sed
  rm -rf "$work/release"
  mkdir "$work/release"
  cp -r Cargo.toml Cargo.lock CHANGELOG.md include packaging bindings "$work/release" &&
    sed -i "s/^## .*not released yet.*/## $version - 2026-01-01/I" "$work/release/CHANGELOG.md" &&
    sed -i "$@" "$work/release/Cargo.toml" && (cd "$work/release" && packaging/versions.sh "$version")
}
settled='s#^\(repository\|homepage\) = ".*"#\1 = "https://example.org/libzus"#'
test_ "a release with addresses of its own is let through" release "$settled"
refused() { # refused WHAT-IT-SAYS SED...: and says nothing else
  local says=$1
  shift
  ! release "$@" >"$work/said" 2>&1 && cat "$work/said" && [ "$(cat "$work/said")" = "$says" ]
}
for field in repository homepage documentation; do
  test_ "a placeholder for $field is refused" refused "Cargo.toml: $field is still a placeholder: https://$field.invalid/libzus" \
    -e "$settled" -e "s#^$field = .*#$field = \"https://$field.invalid/libzus\"#"
  test_ "a release without a $field is refused" refused "Cargo.toml has no $field" -e "$settled" -e "/^$field = /d"
done

# --- cargo-c ---
cargo metadata --locked --no-deps --format-version 1 >"$work/metadata"
# Puts together in a folder what `cargo cinstall` installs beside the libraries and zus.pc, as its source says (cargo-c 0.10,
# build.rs and install.rs): each asset goes into include or share, below `to`; `generated` ones come from OUT_DIR/capi.
cat >"$work/cinstall.py" <<'E2'
import glob, json, os, shutil, sys
metadata, out_dir, prefix = sys.argv[1:]
package = json.load(open(metadata))["packages"][0]
assert "capi" in package["features"], "cargo-c: does not contain this feature: capi"
capi = package["metadata"]["capi"]
assert capi["header"] == {"name": "zus", "subdirectory": False, "generation": False}, capi["header"]
assert capi["library"] == {"name": "zus", "version_suffix_components": 1}, capi["library"]
assert capi["pkg_config"] == {"name": "zus", "filename": "zus"}, capi["pkg_config"]
data = capi["install"]["data"]
for folder, assets in (("include", capi["install"]["include"]["asset"]), ("share", data["asset"])):
    for asset in assets:
        found = glob.glob(asset["from"])
        assert found, f"{asset['from']} is nothing"
        for file in found:
            to = os.path.join(prefix, folder, asset["to"])
            os.makedirs(to, exist_ok=True)
            shutil.copy(file, to)
shutil.copytree(os.path.join(out_dir, "capi/share"), os.path.join(prefix, "share", data["subdirectory"]), dirs_exist_ok=True)
E2
build_script() { # as cargo runs it
  rustc --edition 2024 -o "$work/build-script" build.rs &&
    env OUT_DIR="$work/out" CARGO_CFG_TARGET_OS=linux CARGO_PKG_VERSION="$version" "$@" "$work/build-script"
}
mkdir -p "$work/out" "$work/cargo-c/lib/$triplet/pkgconfig"
test_ "without cargo-c, build.rs writes nothing" eval 'build_script && [ -z "$(ls "$work/out")" ]'
test_ "with it, the CMake package" build_script CARGO_FEATURE_CAPI=1
test_ "whose soname is that of the library" grep -F '"libzus.so.0"' "$work/out/capi/share/cmake/zus/zus-config.cmake"
test_ "no placeholder is left" sh -c '! grep -E "@[a-z_]+@" "$0"/*' "$work/out/capi/share/cmake/zus"
test_ "cargo cinstall's assets are there" python3 "$work/cinstall.py" "$work/metadata" "$work/out" "$work/cargo-c"
test_ "it installs what make install does, the CMake package in share" diff \
  <(cd "$plain" && find include share lib/cmake -type f | sed 's|^lib/cmake|share/cmake|' | sort) <(cd "$work/cargo-c" && find include share -type f | sort)
cp -a "$plain"/lib/libzus.* "$work/cargo-c/lib/$triplet"
printf 'prefix=%s\nlibdir=${prefix}/lib/%s\nincludedir=${prefix}/include\nName: zus\nDescription: as cargo-c writes it\nVersion: %s\nLibs: -L${libdir} -lzus\nCflags: -I${includedir}\nLibs.private: %s\n' \
  "$work/cargo-c" "$triplet" "$version" "$(packaging/native-libs.sh)" >"$work/cargo-c/lib/$triplet/pkgconfig/zus.pc"
command -v cmake >/dev/null && cmake_project cargo-c "$work/cargo-c"
