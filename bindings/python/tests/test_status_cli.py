"""Tests the command line's ways to read users: status, preflight and verify."""

from __future__ import annotations

import csv
import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest
from conftest import Sandbox, clean_env, cli
from zoom_user_status.testing import FakeZoom

ADA, GRACE, PENDING, BOSS, GONE = (f"{name}@example.com" for name in ("ada", "grace", "pending", "boss", "gone"))


@pytest.fixture
def zoom(fake_zoom: FakeZoom) -> FakeZoom:
    fake_zoom.add(ADA, role_name="Member", role_id="2", last_login_time="2026-01-31T08:15:00Z")
    fake_zoom.add(GRACE, status="inactive", role_name="Member", role_id="2")
    fake_zoom.add(PENDING, status="pending", role_name="Member", role_id="2")
    fake_zoom.add(BOSS, role_name="Account boss", role_id="0", last_login_time="2026-02-01T00:00:00Z")
    return fake_zoom


def rows(path: Path) -> Dict[str, Dict[str, str]]:
    with open(path, newline="") as file:
        return {row["user"]: row for row in csv.DictReader(file)}


def column(path: Path, name: str) -> Dict[str, str]:
    return {user: row[name] for user, row in rows(path).items()}


def lines(run: Any) -> Dict[str, Dict[str, Any]]:
    found = (json.loads(line) for line in run.stdout.splitlines())
    return {line["user"] if "user" in line else "summary": line for line in found}


def users_file(path: Path, users: List[str]) -> Path:
    path.write_text("Email\n" + "".join(f"{user}\n" for user in users))
    return path


# ---- status


def test_status_is_a_table_in_the_order_of_the_list(zoom: FakeZoom, tmp_path: Path) -> None:
    users = users_file(tmp_path / "users.csv", [GONE, PENDING, ADA, BOSS, GRACE])
    run = cli(zoom, "status", "--csv", str(users))
    assert run.stdout.splitlines()[:6] == [
        "user                 status     role          last login",
        "gone@example.com     not found  -             -",
        "pending@example.com  pending    Member        -",
        "ada@example.com      active     Member        2026-01-31T08:15:00Z",
        "boss@example.com     active     Account boss  2026-02-01T00:00:00Z",
        "grace@example.com    inactive   Member        -",
    ]
    table = run.stdout.splitlines()[6:]
    assert table[0].split() == ["done", "4", "read"]
    assert sorted(line.split() for line in table[1:4]) == [["1", "inactive"], ["1", "pending"], ["2", "active"]]
    assert run.returncode == 1 and zoom.updated == []
    one = cli(zoom, "status", ADA)
    assert (one.returncode, len(one.stdout.splitlines()), one.stderr) == (0, 2, "")


def test_the_advice_of_status_is_not_about_updates(zoom: FakeZoom) -> None:
    run = cli(zoom, "status", GONE)
    assert "not on this account: check the address" in run.stderr and "--ignore-missing" not in run.stdout + run.stderr


def test_status_as_json_and_in_a_report(zoom: FakeZoom, tmp_path: Path) -> None:
    report = tmp_path / "status.csv"
    run = cli(zoom, "status", ADA, GONE, BOSS, "--json", "--report", str(report))
    found = lines(run)
    assert run.returncode == 1
    assert (found[BOSS]["status"], found[BOSS]["role_id"], found[BOSS]["role"]) == ("active", "0", "Account boss")
    assert found[ADA]["last_login_time"] == "2026-01-31T08:15:00Z" and found[ADA]["delivery"] == "responded"
    assert (found[GONE]["ok"], found[GONE]["status"], found[GONE]["code"]) == (False, "", "ZUS_ERR_USER_NOT_FOUND")
    assert found["summary"]["summary"]["kinds"] == {"active": 2}
    assert column(report, "status_after") == {ADA: "active", GONE: "", BOSS: "active"}
    assert column(report, "role")[BOSS] == "Account boss" and column(report, "last_login")[ADA] == "2026-01-31T08:15:00Z"
    assert set(column(report, "action").values()) == {"status"} and set(column(report, "status_before").values()) == {""}
    again = cli(zoom, "status", ADA, GRACE, "--json", "--report", str(report), "--resume")
    assert set(lines(again)) == {GRACE, "summary"}
    other = cli(zoom, "deactivate", ADA, "--report", str(report), "--resume")
    assert other.returncode == 2 and "another action (status)" in other.stderr


def test_status_without_the_scope_stops(sandbox: Sandbox) -> None:
    users = [f"user{number:05}@example.com" for number in range(1, 60)]
    run = cli(sandbox, "status", "--concurrency", "2", *users, env={"ZOOM_ACCESS_TOKEN": "no-read"})
    assert run.returncode == 3 and "user:read:user:admin" in run.stdout


# ---- preflight


def test_a_preflight_says_what_would_happen_and_sends_nothing(zoom: FakeZoom, tmp_path: Path) -> None:
    report = tmp_path / "report.csv"
    everyone = [ADA, GRACE, PENDING, BOSS, GONE]
    run = cli(zoom, "deactivate", *everyone, "--preflight", "--report", str(report))
    assert run.returncode == 1 and zoom.updated == [] and {one.method for one in zoom.ledger} == {"POST", "GET"}
    assert set(run.stdout.splitlines()[:5]) == {
        "ada@example.com: will be deactivated",
        "grace@example.com: already inactive",
        "pending@example.com: pending: an invitation, which can't be deactivated",
        "boss@example.com: owner or admin: Zoom refuses",
        "gone@example.com: not on this account",
    }
    table = [line.split() for line in run.stdout.splitlines()[5:]]
    assert ["done", "5", "read"] in table and ["1", "will", "be", "deactivated"] in table
    assert column(report, "code") == dict.fromkeys(everyone, "PREFLIGHT")
    assert set(column(report, "delivery").values()) == {"not_sent"}
    before = {ADA: "active", GRACE: "inactive", PENDING: "pending", BOSS: "active", GONE: ""}
    assert column(report, "status_before") == before

    found = lines(cli(zoom, "deactivate", *everyone, "--preflight", "--json"))
    assert {user: found[user]["preflight"] for user in everyone} == {
        ADA: "will_change", GRACE: "already", PENDING: "pending", BOSS: "protected", GONE: "not_found",
    }

    zoom.fail(BOSS, 400, 200, "Zoom Room and Admin users' status cannot be activated or deactivated.")
    run = cli(zoom, "deactivate", *everyone, "--verify", "--report", str(report), "--resume")
    assert run.returncode == 1
    assert column(report, "code") == {
        ADA: "ZUS_OK", GRACE: "ZUS_OK", PENDING: "ZUS_ERR_NOT_VERIFIED", BOSS: "ZUS_ERR_USER_PROTECTED", GONE: "ZUS_ERR_USER_NOT_FOUND",
    }
    assert column(report, "status_before") == before
    assert column(report, "status_after") == {ADA: "inactive", GRACE: "inactive", PENDING: "pending", BOSS: "", GONE: ""}
    assert set(column(report, "delivery").values()) == {"responded"}
    with open(report) as file:
        assert len(list(file)) == 6  # no older lines


def test_a_preflight_of_users_who_can_all_be_deactivated(zoom: FakeZoom) -> None:
    run = cli(zoom, "deactivate", ADA, GRACE, "--preflight")
    assert run.returncode == 0 and zoom.status(ADA) == "active"
    run = cli(zoom, "activate", ADA, GRACE, "--preflight")
    assert run.returncode == 0 and f"{ADA}: already active" in run.stdout and f"{GRACE}: will be activated" in run.stdout


def test_a_preflight_that_cannot_read_counts_as_not_sent(sandbox: Sandbox, tmp_path: Path) -> None:
    report = tmp_path / "report.csv"
    user = "answer-html@example.com"
    run = cli(sandbox, "deactivate", user, "--preflight", "--retries", "0", "--report", str(report))
    assert run.returncode == 1 and "FAILED" in run.stdout and column(report, "code") == {user: "PREFLIGHT"}
    assert column(report, "message")[user] and column(report, "delivery")[user] == "not_sent"
    run = cli(sandbox, "deactivate", user, "--dry-run", "--resume", "--report", str(report))
    assert run.stdout == f"{user}\n"


def test_a_preflight_does_not_ask_and_refuses_verify(zoom: FakeZoom) -> None:
    for more in ("--verify", "--dry-run"):
        run = cli(zoom, "deactivate", ADA, "--preflight", more)
        assert run.returncode == 2 and "--preflight can't be used with --verify or --dry-run" in run.stderr
    users = [f"u{number}@example.com" for number in range(20)]
    zoom.add(*users)
    assert cli(zoom, "deactivate", "--preflight", *users).returncode == 0  # no --yes


# ---- verify


def test_verify_does_not_take_a_user_as_its_value(zoom: FakeZoom) -> None:
    run = cli(zoom, "deactivate", "--verify", ADA)
    assert (run.returncode, run.stdout) == (0, f"{ADA}: deactivated and verified\n")
    assert [one.method for one in zoom.ledger if one.user] == ["GET", "PUT", "GET"]  # the first GET tests the scope for reading
    run = cli(zoom, "activate", "--verify=3", "--json", ADA)
    assert lines(run)[ADA]["status"] == "active"
    run = cli(zoom, "deactivate", "--verify=soon", ADA)
    assert run.returncode == 2 and "'soon' is not a number of seconds" in run.stderr


def test_users_not_verified_are_sent_again_and_stop_no_run(sandbox: Sandbox, tmp_path: Path) -> None:
    report = tmp_path / "report.csv"
    ghosts = [f"ghost-cli{number}@example.com" for number in range(40)]
    command = ["deactivate", "--yes", "--verify=0.2", "--rate", "0", "--report", str(report), *ghosts, "late-cli@example.com"]
    run = cli(sandbox, *command)
    assert run.returncode == 1 and "NOT VERIFIED" in run.stdout and "41 failed and may succeed later" in run.stderr
    assert set(column(report, "code").values()) == {"ZUS_ERR_NOT_VERIFIED"}
    assert set(column(report, "status_after").values()) == {"active"}
    time.sleep(1)
    run = cli(sandbox, *command, "--resume", "--verify=5", "--timeout", "10")
    codes = column(report, "code")
    assert codes.pop("late-cli@example.com") == "ZUS_OK" and set(codes.values()) == {"ZUS_ERR_NOT_VERIFIED"}


def test_verify_without_the_scope_updates_nobody(new_sandbox: Callable[..., Sandbox]) -> None:
    sandbox = new_sandbox("--users", "30")
    users = [f"user{number:05}@example.com" for number in range(1, 31)]
    run = cli(sandbox, "deactivate", "--yes", "--verify", *users, env={"ZOOM_ACCESS_TOKEN": "no-read"})
    assert run.returncode == 3 and "user:read:user:admin" in run.stderr
    assert all(user["received"] == 0 for user in sandbox.ledger()["users"].values())


# ---- everything together

KINDS = {"pending": 60, "admin": 40, "owner": 10, "late": 50, "ghost": 30, "gone": 60}
MEMBERS = 2000 - sum(KINDS.values())


def kind_of(user: str) -> str:
    name = user.split("@")[0].split("-")[0]
    return name if name in KINDS else "member"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL, with which this test ends the run")
def test_two_thousand_users_agree_with_the_ledger(new_sandbox: Callable[..., Sandbox], tmp_path: Path) -> None:
    sandbox = new_sandbox("--users", str(MEMBERS), "--apply-after", "20")
    everyone = [f"user{number:05}@example.com" for number in range(1, MEMBERS + 1)]
    everyone += [f"{kind}-{number}@example.com" for kind, count in KINDS.items() for number in range(count)]
    random.Random(14).shuffle(everyone)
    users = users_file(tmp_path / "leavers.csv", everyone)
    report = tmp_path / "report.csv"
    common = ["--csv", str(users), "--rate", "0", "--concurrency", "64"]

    def ledger() -> Dict[str, Any]:
        found: Dict[str, Any] = sandbox.ledger()["users"]
        return found

    def shows(user: str) -> str:
        """Returns what a read of the user must say. The ledger does not know "pending"."""
        return "pending" if kind_of(user) == "pending" else ledger_now[user]["status"] or ""

    def killed_at(line: int, *arguments: str) -> None:
        process = subprocess.Popen(
            [sys.executable, "-m", "zoom_user_status", *arguments],
            env=clean_env(sandbox),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until = time.monotonic() + 60
        while not report.exists() or report.read_bytes().count(b"\n") < line:
            assert process.poll() is None and time.monotonic() < until
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        process.wait()

    # The preflight: it is killed, and resumed.
    preflight = ["deactivate", "--preflight", *common, "--report", str(report)]
    killed_at(500, *preflight)
    run = cli(sandbox, *preflight, "--resume", "--json")
    ledger_now = ledger()
    found = lines(run)
    assert run.returncode == 1 and sorted(found) == sorted([*everyone, "summary"])
    verdicts = {"pending": "pending", "admin": "protected", "owner": "protected", "gone": "not_found"}
    for user in everyone:
        assert ledger_now[user]["received"] == 0
        assert found[user]["preflight"] == verdicts.get(kind_of(user), "will_change")
        assert found[user]["status"] == shows(user)
    assert column(report, "status_before") == {user: shows(user) for user in everyone}
    before = column(report, "status_before")

    # The run: it is killed twice, and resumed.
    deactivate = ["deactivate", "--yes", "--verify=2", *common, "--report", str(report), "--resume"]
    killed_at(2001 + 300, *deactivate)
    killed_at(2001 + 900, *deactivate)
    run = cli(sandbox, *deactivate)
    assert run.returncode == 1, run.stderr
    ledger_now = ledger()
    reported = rows(report)
    assert sorted(reported) == sorted(everyone)
    codes = {"pending": "NOT_VERIFIED", "ghost": "NOT_VERIFIED", "admin": "USER_PROTECTED", "owner": "USER_PROTECTED", "gone": "USER_NOT_FOUND"}
    for user, row in reported.items():
        expected = codes.get(kind_of(user))
        assert row["code"] == (f"ZUS_ERR_{expected}" if expected else "ZUS_OK"), user
        assert row["status_before"] == before[user] and row["delivery"] == "responded"
        assert row["status_after"] == (shows(user) if expected in (None, "NOT_VERIFIED") else "")
        assert ledger_now[user]["status"] == {"gone": None}.get(kind_of(user), "active" if expected else "inactive")
        assert ledger_now[user]["applied"] >= (0 if expected and expected != "NOT_VERIFIED" else 1)
        assert expected in (None, "NOT_VERIFIED") or ledger_now[user]["applied"] == 0
    with open(report) as file:
        assert len(list(file)) == 2001

    # The status afterwards.
    run = cli(sandbox, "status", *common, "--json")
    found = lines(run)
    assert run.returncode == 1 and sorted(found) == sorted([*everyone, "summary"])
    for user in everyone:
        assert (found[user]["status"], found[user]["ok"]) == (shows(user), kind_of(user) != "gone")
        assert found[user]["status"] == (reported[user]["status_after"] or reported[user]["status_before"])
    kinds = found["summary"]["summary"]["kinds"]
    assert kinds == {"inactive": MEMBERS + KINDS["late"], "active": 80, "pending": 60}
