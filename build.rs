//! The shared library's own name, by which programs look for it: without one they would record the path that they
//! were linked with. It changes when the ABI breaks (docs/abi.md), not with each version.

use std::env::var;

const ABI: &str = "0";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    match var("CARGO_CFG_TARGET_OS").as_deref() {
        Ok("windows") => {}
        Ok("macos" | "ios") => {
            println!("cargo::rustc-cdylib-link-arg=-Wl,-install_name,@rpath/libzus.{ABI}.dylib");
        }
        _ => println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libzus.so.{ABI}"),
    }
}
