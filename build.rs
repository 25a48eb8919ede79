//! The shared library's own name, by which programs look for it: without one they would record the path that they
//! were linked with. It changes when the ABI breaks (docs/abi.md), not with each version. For cargo-c also the CMake
//! package, which packaging/install.sh writes otherwise.

use std::env::var;
use std::fs;
use std::path::PathBuf;

const ABI: &str = "0";
/// The first version with this ABI.
const ABI_SINCE: &str = "0.1";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let os = var("CARGO_CFG_TARGET_OS").unwrap_or_default();
    let shared_name = match os.as_str() {
        "macos" | "ios" => format!("libzus.{ABI}.dylib"),
        _ => format!("libzus.so.{ABI}"),
    };
    match os.as_str() {
        "windows" => {}
        "macos" | "ios" => {
            println!("cargo::rustc-cdylib-link-arg=-Wl,-install_name,@rpath/{shared_name}");
        }
        _ => println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,{shared_name}"),
    }
    if var("CARGO_FEATURE_CAPI").is_ok() && os != "windows" {
        let soname = match os.as_str() {
            "macos" | "ios" => format!("@rpath/{shared_name}"),
            _ => shared_name.clone(),
        };
        cmake_package(&[
            ("version", &var("CARGO_PKG_VERSION").unwrap()),
            ("abi_since", ABI_SINCE),
            ("cmake_prefix", "${_zus_here}/../../.."),
            ("cmake_shared", &format!("${{_zus_libdir}}/{shared_name}")),
            (
                "cmake_shared_properties",
                &format!("IMPORTED_SONAME \"{soname}\""),
            ),
            ("static", "libzus.a"),
            ("cmake_static_properties", ""),
        ]);
    }
}

/// Into share/cmake/zus, since cargo-c does not say what the library folder is.
fn cmake_package(values: &[(&str, &str)]) {
    let folder = PathBuf::from(var("OUT_DIR").unwrap()).join("capi/share/cmake/zus");
    fs::create_dir_all(&folder).unwrap();
    for name in ["zus-config.cmake", "zus-config-version.cmake"] {
        let template = format!("cmake/{name}.in");
        println!("cargo::rerun-if-changed={template}");
        let mut text = fs::read_to_string(template).unwrap();
        for (name, value) in values {
            text = text.replace(&format!("@{name}@"), value);
        }
        fs::write(folder.join(name), text).unwrap();
    }
}
