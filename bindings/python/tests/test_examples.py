"""Runs the examples as a person does."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Callable, Dict, Optional

import pytest
from conftest import PACKAGE, ROOT, Sandbox, clean_env

EXAMPLES = ROOT / "examples" / "python"


def example(sandbox: Sandbox, name: str, *arguments: str, env: Optional[Dict[str, str]] = None, **options: Any) -> Any:
    given = {"stdin": subprocess.DEVNULL, **options} if "input" not in options else options
    return subprocess.run(
        [sys.executable, str(EXAMPLES / name), *arguments],
        env=clean_env(sandbox, **(env or {})),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        timeout=60,
        **given,
    )


def test_update_status(sandbox: Sandbox) -> None:
    run = example(sandbox, "update_status.py", "ada@example.com", "deactivate")
    assert (run.returncode, run.stdout, run.stderr) == (0, "HTTP 204\n", "")
    run = example(sandbox, "update_status.py", "nobody@example.com", "deactivate")
    assert run.returncode == 1
    assert run.stdout.startswith("HTTP 404\nZUS_ERR_USER_NOT_FOUND: ") and "Zoom's code: 1001\ntracking ID: v=" in run.stdout


@pytest.mark.parametrize("arguments", [[], ["ada@example.com"], ["ada@example.com", "delete"], ["", "deactivate"]])
def test_update_status_with_wrong_arguments(sandbox: Sandbox, arguments: Any) -> None:
    run = example(sandbox, "update_status.py", *arguments)
    assert run.returncode == 2 and run.stderr and "Traceback" not in run.stderr


def test_without_credentials(sandbox: Sandbox) -> None:
    env = {name: "" for name in sandbox.env}
    assert example(sandbox, "update_status.py", "ada@example.com", "activate", env=env).returncode == 2
    assert example(sandbox, "offboard.py", input="ada@example.com\n", env=env).returncode == 2


def test_offboard(sandbox: Sandbox, tmp_path: Path) -> None:
    path = tmp_path / "leavers.txt"
    path.write_text("\ufeffada@example.com\n\n  linus@example.com \n", encoding="utf-8")
    run = example(sandbox, "offboard.py", str(path))
    assert run.returncode == 0 and sorted(run.stdout.splitlines()) == ["DONE ada@example.com", "DONE linus@example.com"]
    run = example(sandbox, "offboard.py", input="ada@example.com\nnobody@example.com\n")
    assert run.returncode == 1 and "FAIL nobody@example.com ZUS_ERR_USER_NOT_FOUND 404/1001 " in run.stdout
    run = example(sandbox, "offboard.py", str(path), env={"ZOOM_ACCESS_TOKEN": "expired"})
    assert run.returncode == 3 and "ZUS_ERR_UNAUTHORIZED" in run.stderr
    assert example(sandbox, "offboard.py", "no-such-file").returncode == 2


@pytest.mark.skipif(os.name != "posix", reason="Windows has no POSIX signals, which this test sends")
def test_offboard_stops_at_a_ctrl_c(new_sandbox: Callable[..., Sandbox]) -> None:
    sandbox = new_sandbox("--users", "600", "--delay", "100")
    process = subprocess.Popen(
        [sys.executable, str(EXAMPLES / "offboard.py")],
        env=clean_env(sandbox),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    users = [f"user{n:05}@example.com" for n in range(1, 601)]
    assert process.stdin and process.stdout
    process.stdin.write("\n".join(users))
    process.stdin.close()
    process.stdin = None
    first = process.stdout.readline()
    process.send_signal(signal.SIGINT)
    began = time.monotonic()
    assert process.stderr
    out, err = process.stdout.read(), process.stderr.read()
    assert process.wait(10) == 130 and time.monotonic() - began < 5
    assert re.fullmatch(r"\d+ done, 0 failed, \d+ remaining\n", err)
    process.stdout.close()
    process.stderr.close()
    lines = (first + out).splitlines()
    assert sorted(line.split()[1] for line in lines) == users
    assert {line.split()[0] for line in lines} == {"DONE", "REMAINS"}


def python_blocks(path: Path) -> Any:
    return re.findall(r"(?ms)^```python\n(.*?)^```", path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("block", python_blocks(PACKAGE / "README.md"))
def test_the_readmes_code_runs(sandbox: Sandbox, block: str) -> None:
    run = subprocess.run([sys.executable, "-c", block], env=clean_env(sandbox), capture_output=True, text=True, timeout=30)
    assert (run.returncode, run.stderr) == (0, "")


def test_the_readmes_first_example_is_short() -> None:
    assert len(python_blocks(PACKAGE / "README.md")[0].splitlines()) < 12
