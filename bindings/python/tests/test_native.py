"""Tests the binding itself: where it finds the library, and whether its names and numbers are the library's."""

from __future__ import annotations

import inspect
import os
import re
import shutil
import subprocess
import sys
import typing
from pathlib import Path
from typing import Dict, Optional

import pytest
import zoom_user_status as zus
from conftest import LIBRARY, PACKAGE, ROOT
from zoom_user_status import _errors, _native

HEADER = (ROOT / "include" / "zus.h").read_text()


def test_every_function_of_the_header_is_bound() -> None:
    # Python needs no zus_result_user_id, because it keeps the user ID that was passed. Code.symbol replaces zus_code_name, and a test below
    # compares them. from_env replaces zus_config_set_from_env, because it reads any mapping.
    reasons = {"zus_result_user_id", "zus_code_name", "zus_config_set_from_env"}
    declared = set(re.findall(r"\b(zus_\w+)\(", HEADER))
    bound = set(re.findall(r'"(zus_\w+)"', Path(_native.__file__).read_text()))
    assert declared - bound == reasons and bound <= declared


def test_the_numbers_are_the_headers() -> None:
    codes = {name: int(number) for name, number in re.findall(r"\bZUS_(OK|ERR_\w+) = (\d+)", HEADER)}
    assert {code.symbol[4:]: int(code) for code in zus.Code} == codes
    for words, prefix in ((zus.Action, ""), (zus.Delivery, "DELIVERY_"), (zus.Status, "STATUS_")):
        numbers = {name: int(number) for name, number in re.findall(rf"#define ZUS_{prefix}([A-Z_]+) (\d+)", HEADER)}
        assert {word.name: int(word) for word in words}.items() <= numbers.items()
        assert prefix == "" or len(numbers) == len(words)


def test_the_names_are_the_librarys() -> None:
    import ctypes

    name = ctypes.CDLL(_native.PATH).zus_code_name
    name.restype, name.argtypes = ctypes.c_char_p, [ctypes.c_int32]
    for code in zus.Code:
        assert name(int(code)).decode() == code.symbol


def test_every_failure_has_its_exception() -> None:
    assert set(zus.Code) - set(_errors.ERRORS) == {zus.Code.OK, zus.Code.PARTIAL}
    classes = {one.__name__ for one in _errors.ERRORS.values()}
    assert classes <= set(zus.__all__)


def test_annotations_resolve_at_run_time() -> None:
    for name in zus.__all__:
        public = getattr(zus, name)
        if isinstance(public, type) or inspect.isfunction(public):
            typing.get_type_hints(public)
        for member, method in vars(public).items() if isinstance(public, type) else ():
            if inspect.isfunction(getattr(method, "__func__", method)):
                assert typing.get_type_hints(getattr(public, member)) is not None
    assert typing.get_type_hints(zus.Client.__init__)["timeout"] == typing.Union[float, typing.Tuple[float, float]]


def test_the_versions_agree() -> None:
    assert _native.version().decode() == zus.__version__


def load(package: Path, library: Optional[str]) -> "subprocess.CompletedProcess[str]":
    env: Dict[str, str] = {**os.environ, "PYTHONPATH": str(package)}
    env.pop("ZUS_LIBRARY", None)
    if library is not None:
        env["ZUS_LIBRARY"] = library
    program = "import zoom_user_status._native as n; print(n.PATH)"
    return subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True)


def test_the_library_is_found_or_the_message_names_its_path(tmp_path: Path) -> None:
    ignore = shutil.ignore_patterns("__pycache__", "*.so", "*.dylib", "*.dll")
    package = tmp_path / "zoom_user_status"
    shutil.copytree(PACKAGE / "src" / "zoom_user_status", package, ignore=ignore)
    found = load(tmp_path, None)
    assert found.returncode and "ImportError" in found.stderr and str(package / _native.FILE_NAME) in found.stderr
    found = load(tmp_path, str(tmp_path / "nowhere.so"))
    assert found.returncode and "nowhere.so" in found.stderr and "ZUS_LIBRARY" in found.stderr
    (tmp_path / "text.so").write_text("not a library")
    found = load(tmp_path, str(tmp_path / "text.so"))
    assert "could not be loaded" in found.stderr
    shutil.copy(LIBRARY, package)
    assert load(tmp_path, None).stdout.strip() == str(package / LIBRARY.name)
    assert load(tmp_path, str(LIBRARY)).stdout.strip() == str(LIBRARY)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux has libm under a name that is known")
def test_another_library_is_refused() -> None:
    import ctypes.util

    other = next(Path("/").glob("lib/*-linux-*/libm.so.6"), None) or Path(ctypes.util.find_library("m") or "")
    if not other.is_file():
        pytest.skip("no libm found")
    found = load(PACKAGE / "src", str(other))
    assert found.returncode and "has no function zus_config_new" in found.stderr


@pytest.mark.skipif(shutil.which("cc") is None, reason="cc builds the other library, and is not installed")
def test_a_library_with_another_abi_is_refused(tmp_path: Path) -> None:
    names = [line.split()[0] for line in (ROOT / "tests" / "abi" / "symbols.txt").read_text().splitlines() if line.startswith("zus_")]
    (tmp_path / "zus.c").write_text("".join(f"int {name}(void) {{ return 7; }}\n" for name in names))
    subprocess.run(["cc", "-shared", "-fPIC", "-o", str(tmp_path / "zus.so"), str(tmp_path / "zus.c")], check=True)
    found = load(PACKAGE / "src", str(tmp_path / "zus.so"))
    assert found.returncode and "has the ABI 7, and this package was made for 0" in found.stderr
