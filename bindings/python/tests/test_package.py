"""Tests what is built and installed: the wheel, the sdist, a frozen program."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path
from typing import Any, Dict

import pytest
from conftest import LIBRARY, PACKAGE, Sandbox, clean_env
from test_examples import python_blocks


def run(*command: str, **options: Any) -> str:
    done: "subprocess.CompletedProcess[str]" = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    assert done.returncode == 0, done.stdout
    return done.stdout


def pip(*arguments: str, python: str = sys.executable, **env: str) -> str:
    clean: Dict[str, str] = {name: value for name, value in os.environ.items() if name not in ("ZUS_LIBRARY", "PYTHONPATH")}
    # This environment has hatchling, so that a build downloads nothing.
    return run(python, "-m", "pip", "--disable-pip-version-check", *arguments, env={**clean, **env})


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Builds a wheel with cargo, as in a clone without a library. The library must be the same as the one of `make build`."""
    before = LIBRARY.read_bytes()
    folder = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(PACKAGE))
    assert LIBRARY.read_bytes() == before
    return next(folder.glob("*.whl"))


def test_the_wheel(wheel: Path) -> None:
    assert re.fullmatch(r"zoom_user_status-0\.1\.0-py3-none-(linux|macosx|win)\w+\.whl", wheel.name)
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        info = "zoom_user_status-0.1.0.dist-info"
        about = archive.read(f"{info}/WHEEL").decode()
        metadata = archive.read(f"{info}/METADATA").decode()
        entry_points = archive.read(f"{info}/entry_points.txt").decode()
    assert f"zoom_user_status/{LIBRARY.name}" in names and "zoom_user_status/py.typed" in names
    assert not any("tests" in name or name.endswith("hatch_build.py") for name in names)
    assert {f"{info}/licenses/LICENSE-MIT", f"{info}/licenses/LICENSE-APACHE"} <= names
    assert "[pytest11]\nzoom_user_status = zoom_user_status.pytest_plugin\n" in entry_points
    assert "[pyinstaller40]\nhook-dirs = zoom_user_status.__pyinstaller:get_hook_dirs\n" in entry_points
    assert "zoom_user_status/__pyinstaller/hook-zoom_user_status.py" in names
    assert "Root-Is-Purelib: false" in about
    assert "License-Expression: MIT OR Apache-2.0" in metadata and "Requires-Python: >=3.9" in metadata
    assert [line for line in metadata.splitlines() if line.startswith("Requires-Dist")] == [
        "Requires-Dist: tqdm>=4.64; extra == 'progress'"
    ]


def test_the_wheel_in_a_fresh_environment(wheel: Path, sandbox: Sandbox, tmp_path: Path) -> None:
    run(sys.executable, "-m", "venv", str(tmp_path / "venv"))
    scripts = tmp_path / "venv" / ("Scripts" if os.name == "nt" else "bin")
    pip("install", "--no-index", str(wheel), python=str(scripts / "python"))
    env = clean_env(sandbox)
    del env["PYTHONPATH"], env["ZUS_LIBRARY"]
    for block in python_blocks(PACKAGE / "README.md"):
        if "import pytest" in block:
            continue  # test_testing.py runs it
        run(str(scripts / "python"), "-c", block, env=env, cwd=tmp_path)
    said = run(str(scripts / "zoom-user-status"), "deactivate", "ada@example.com", env=env, cwd=tmp_path)
    assert said == "ada@example.com: deactivated\n"
    found = run(str(scripts / "python"), "-c", "import zoom_user_status._native as n; print(n.PATH)", env=env, cwd=tmp_path)
    assert str(tmp_path / "venv") in found
    # Without tqdm there is no progress bar, and everything else works.
    assert "1 user" not in run(str(scripts / "python"), "-m", "zoom_user_status", "check", env=env, cwd=tmp_path)


@pytest.mark.skipif(
    sys.platform == "linux" and not sysconfig.get_config_var("Py_ENABLE_SHARED"), reason="PyInstaller needs a shared libpython"
)
def test_a_frozen_program(wheel: Path, sandbox: Sandbox, tmp_path: Path) -> None:
    """PyInstaller finds libzus with the hook of the package."""
    installed = tmp_path / "installed"
    pip("install", "--no-index", "--no-deps", "--target", str(installed), str(wheel))
    (tmp_path / "leave.py").write_text("import sys\nfrom zoom_user_status._cli import main\nsys.exit(main())\n")
    env = clean_env(sandbox)
    del env["ZUS_LIBRARY"]
    build = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level", "ERROR", "--distpath", "dist", "leave.py"]
    run(*build, env={**env, "PYTHONPATH": str(installed)}, cwd=tmp_path)
    del env["PYTHONPATH"]
    said = run(str(tmp_path / "dist" / "leave" / "leave"), "deactivate", "ada@example.com", env=env, cwd=tmp_path)
    assert said == "ada@example.com: deactivated\n"


def test_a_prebuilt_library_is_used(tmp_path: Path) -> None:
    env = {"ZUS_LIBRARY": str(LIBRARY), "PATH": str(Path(sys.executable).parent), "ZUS_WHEEL_PLATFORM": "linux_riscv64"}
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(tmp_path), str(PACKAGE), **env)
    built = next(tmp_path.glob("*-py3-none-linux_riscv64.whl"))
    with zipfile.ZipFile(built) as archive:
        assert archive.read(f"zoom_user_status/{LIBRARY.name}") == LIBRARY.read_bytes()


def test_a_build_without_rust_says_what_to_do(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-w", str(tmp_path), str(PACKAGE)],
        env={"PATH": str(tmp_path), "HOME": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode and "rustup.rs" in done.stdout and "ZUS_LIBRARY" in done.stdout


def test_the_sdist_builds(tmp_path: Path) -> None:
    run(sys.executable, "-m", "build", "--sdist", "--no-isolation", "--outdir", str(tmp_path), str(PACKAGE))
    archive = next(tmp_path.glob("*.tar.gz"))
    with tarfile.open(archive) as tar:
        names = {name.partition("/")[2] for name in tar.getnames()}
        if hasattr(tarfile, "data_filter"):
            tar.extractall(tmp_path / "unpacked", filter="data")
        else:
            tar.extractall(tmp_path / "unpacked")
    assert {"rust/Cargo.toml", "rust/Cargo.lock", "rust/build.rs", "rust/src/lib.rs", "rust/packaging/cargo.sh", "hatch_build.py", "README.md"} <= names
    assert not any(name.startswith(("target", "rust/target")) or name.endswith((".so", ".pyc")) for name in names)
    # The release profile is changed to compile quickly, in a target folder that is kept between runs.
    unpacked = next((tmp_path / "unpacked").iterdir())
    kept = PACKAGE.parents[1] / ".tools" / "python" / "sdist-target"
    pip(
        "wheel",
        "--no-deps",
        "--no-build-isolation",
        "--wheel-dir",
        str(tmp_path),
        str(unpacked),
        CARGO_TARGET_DIR=str(kept),
        CARGO_PROFILE_RELEASE_LTO="off",
        CARGO_PROFILE_RELEASE_CODEGEN_UNITS="16",
        CARGO_PROFILE_RELEASE_OPT_LEVEL="0",
    )
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as built:
        assert f"zoom_user_status/{LIBRARY.name}" in built.namelist()
