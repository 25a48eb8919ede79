"""Updates five thousand users with a Zoom that often fails, in a run that is killed ten times."""

from __future__ import annotations

import csv
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Callable, Dict, List

from conftest import Sandbox, clean_env

COUNT = 5000
# There are few 429: each one slows the whole client down for seconds.
FAULTS = ["--seed", "7"] + [
    word
    for fault in ("503=0.02", "429=0.001", "429-bare=0.001", "cut=0.01", "cut-after=0.02", "delay-300=0.01")
    for word in ("--fault", fault)
]


def test_a_run_that_was_killed_ten_times_has_each_user_once(
    new_sandbox: Callable[..., Sandbox], tmp_path: Path
) -> None:
    sandbox = new_sandbox("--users", str(COUNT), "--delay", "8", *FAULTS)
    special = ["nobody@example.com", "admin@example.com", "events@example.com", "room@example.com"]
    users = [f"user{n:05}@example.com" for n in range(1, COUNT + 1 - len(special))] + special
    leavers, report = tmp_path / "leavers.csv", tmp_path / "report.csv"
    leavers.write_text("email\n" + "\n".join(users) + "\n")
    command = [sys.executable, "-m", "zoom_user_status", "deactivate", "--csv", str(leavers), "--rate", "0"]
    command += ["--report", str(report), "--resume", "--concurrency", "16"]
    env = clean_env(sandbox, ZOOM_ACCESS_TOKEN="")  # with OAuth: the sandbox expires the tokens during the run
    chance = random.Random(5)

    def start() -> "subprocess.Popen[str]":
        return subprocess.Popen(
            command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )

    def lines() -> int:
        return report.read_bytes().count(b"\n") - 1 if report.exists() else 0

    progress: List[int] = []
    until = 0.0
    for kill in range(10):
        process = start()
        assert process.stderr
        target = (kill + 1) * (COUNT // 12)
        until = time.monotonic() + 60
        while lines() < target and process.poll() is None:
            assert time.monotonic() < until
            time.sleep(0.01)
        if kill % 3 == 0:
            sandbox.expire_tokens()
        time.sleep(chance.random() * 0.1)
        assert process.poll() is None, process.stderr.read()
        process.kill()
        process.wait()
        process.stderr.close()
        progress.append(lines())
    assert progress[0] > 0 and progress[-1] < COUNT
    rows: Dict[str, Dict[str, str]] = {}
    status, err = 0, ""
    while "1 user remains" not in err:  # the user with an upcoming event, who is sent again each time
        assert time.monotonic() < until + 120
        process = start()
        _, err = process.communicate(timeout=60)
        status = process.returncode
        with report.open(newline="") as file:
            listed = list(csv.DictReader(file))
        rows = {row["user"]: row for row in listed}
        assert len(rows) == len(listed), "a user twice"
    assert status == 1, err  # the four special users
    assert sorted(rows) == sorted(users)
    failed = {user: row["code"] for user, row in rows.items() if row["code"] != "ZUS_OK"}
    assert failed == {
        "nobody@example.com": "ZUS_ERR_USER_NOT_FOUND",
        "admin@example.com": "ZUS_ERR_USER_PROTECTED",
        "room@example.com": "ZUS_ERR_USER_PROTECTED",
        "events@example.com": "ZUS_ERR_USER_BUSY",
    }
    ledger = sandbox.ledger()
    done = {user for user, row in rows.items() if row["code"] == "ZUS_OK"}
    assert {user for user, seen in ledger["users"].items() if seen["status"] == "inactive" and seen["applied"]} == done
    assert ledger["token_requests"] >= 11
    # Apart from the retries after faults, only users who were in flight at a kill were sent twice.
    assert ledger["requests"] < COUNT * 1.25
