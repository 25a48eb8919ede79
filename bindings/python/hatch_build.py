"""Puts libzus into the wheel, and the Rust sources into the sdist.

    ZUS_LIBRARY          the path of a libzus that is built already; if it is not set, cargo builds one
    ZUS_WHEEL_PLATFORM   the wheel's platform tag, for a wheel that another machine will use (cross builds)
"""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any, Dict, List

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FILE_NAME = {"win32": "zus.dll", "darwin": "libzus.dylib"}.get(sys.platform, "libzus.so")
PACKAGE = "zoom_user_status"
NOTICES = "THIRD-PARTY-NOTICES.txt"  # the licenses of the crates that are compiled into the library
CARGO = "packaging/cargo.sh"  # keeps this machine's paths out of the library
CRATE = ["Cargo.toml", "Cargo.lock", "build.rs", "src", "include", CARGO, NOTICES]


class CustomBuildHook(BuildHookInterface):  # type: ignore[type-arg,misc,unused-ignore]
    def initialize(self, version: str, build_data: Dict[str, Any]) -> None:
        here = Path(self.root)
        # In an sdist the crate is below this folder, in a clone above it.
        crate = here / "rust" if (here / "rust").is_dir() else here.parent.parent
        if self.target_name == "sdist":
            self.add_crate(crate, build_data)
            return
        library = library_of(crate)
        if version == "editable":
            shutil.copy2(library, here / "src" / PACKAGE / FILE_NAME)
            return
        build_data["force_include"][str(library)] = f"{PACKAGE}/{FILE_NAME}"
        build_data["force_include"][str(crate / NOTICES)] = f"{PACKAGE}/{NOTICES}"
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{wheel_platform()}"

    def add_crate(self, crate: Path, build_data: Dict[str, Any]) -> None:
        for name in CRATE:
            if (crate / name).exists():
                build_data["force_include"][str(crate / name)] = f"rust/{name}"
        # The sdist has no examples, tests and benches, so its manifest must not name them.
        self.scratch = tempfile.TemporaryDirectory()
        manifest = Path(self.scratch.name) / "Cargo.toml"
        manifest.write_text(library_only((crate / "Cargo.toml").read_text(encoding="utf-8")), encoding="utf-8")
        del build_data["force_include"][str(crate / "Cargo.toml")]
        build_data["force_include"][str(manifest)] = "rust/Cargo.toml"

    def finalize(self, version: str, build_data: Dict[str, Any], artifact_path: str) -> None:
        if self.target_name == "sdist":
            self.scratch.cleanup()


def library_only(manifest: str) -> str:
    """Returns a Cargo.toml without the sections [[example]], [[test]], [[bench]] and [[bin]]."""
    sections = re.split(r"(?m)^(?=\[)", manifest)
    return "".join(part for part in sections if not re.match(r"\[\[(example|test|bench|bin)\]\]", part))


def library_of(crate: Path) -> Path:
    given = os.environ.get("ZUS_LIBRARY")
    if given:
        if not Path(given).is_file():
            raise FileNotFoundError(f"ZUS_LIBRARY names a file that does not exist: {given}. Correct it, or unset it to build libzus.")
        return Path(given).resolve()
    cargo = shutil.which("cargo")
    if cargo is None:
        raise RuntimeError(
            "Rust was not found, and zoom-user-status can't be built without it: install Rust (https://rustup.rs), "
            "or set ZUS_LIBRARY to the path of a libzus that is built already"
        )
    build = [cargo] if sys.platform == "win32" else ["sh", CARGO]
    command = [*build, "build", "--release", "--lib", "--locked", "--message-format=json-render-diagnostics"]
    built = subprocess.run(command, cwd=crate, check=True, stdout=subprocess.PIPE, text=True)
    messages = [json.loads(line) for line in built.stdout.splitlines() if line.startswith("{")]
    files: List[str] = [
        name
        for message in messages
        if message["reason"] == "compiler-artifact" and message["target"]["name"] == "zus"
        for name in message["filenames"]
    ]
    return next(Path(name) for name in files if Path(name).name == FILE_NAME)


def wheel_platform() -> str:
    given = os.environ.get("ZUS_WHEEL_PLATFORM")
    if given:
        return given
    if sys.platform == "darwin":
        # The library has one architecture, also when Python has two. The system is the oldest one that Rust builds for.
        arm = platform.machine() == "arm64"
        system = os.environ.get("MACOSX_DEPLOYMENT_TARGET") or ("11.0" if arm else "10.12")
        return f"macosx_{system.replace('.', '_')}_{platform.machine()}"
    return re.sub(r"[-.]", "_", sysconfig.get_platform())
