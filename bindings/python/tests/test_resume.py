"""Tests reports: they belong to one account, a resume completes them, and other programs may change them."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List

import pytest
from conftest import PACKAGE, cli
from zoom_user_status.testing import FakeZoom

EVENT = "You cannot deactivate this user because the user has an upcoming Zoom Events scheduled."
A, B, C, GONE = "a@example.com", "b@example.com", "c@example.com", "gone@example.com"


def rows(path: Path) -> List[Dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def codes(path: Path) -> Dict[str, str]:
    return {row["user"]: row["code"].replace("ZUS_ERR_", "") for row in rows(path)}


@pytest.fixture
def report(tmp_path: Path) -> Path:
    return tmp_path / "r.csv"


def test_a_busy_user_and_a_full_account_are_sent_again(fake_zoom: FakeZoom, report: Path) -> None:
    fake_zoom.add(A, B, status="inactive")
    fake_zoom.fail(A, 400, 300, EVENT, times=1)
    fake_zoom.fail(B, 400, 3412, "The maximum of users is reached.", times=1)
    run = cli(fake_zoom, "activate", A, B, "--report", str(report))
    assert run.returncode == 1 and codes(report) == {A: "USER_BUSY", B: "USER_LIMIT"}
    assert "2 users remain (2 failed and may succeed later). To continue: " in run.stderr
    run = cli(fake_zoom, "activate", A, B, "--report", str(report), "--resume")
    assert run.returncode == 0 and codes(report) == {A: "ZUS_OK", B: "ZUS_OK"}


def test_a_resume_without_users_to_send_says_why(fake_zoom: FakeZoom, report: Path) -> None:
    fake_zoom.add(A)
    arguments = ["deactivate", A, GONE, "--report", str(report)]
    cli(fake_zoom, *arguments)
    sent = len(fake_zoom.ledger)
    run = cli(fake_zoom, *arguments, "--resume")
    assert run.returncode == 1 and len(fake_zoom.ledger) == sent
    assert "2 of 2 users are in the report already: 1 done, 1 failed (1 ZUS_ERR_USER_NOT_FOUND)" in run.stderr
    assert "there is no user to send; --retry-failed sends the failed users again" in run.stderr
    assert "in the report already: 1 done, 1 failed" in run.stdout
    fake_zoom.add(GONE)
    run = cli(fake_zoom, *arguments, "--retry-failed")
    assert run.returncode == 0 and codes(report) == {A: "ZUS_OK", GONE: "ZUS_OK"}
    assert fake_zoom.updated == [A, GONE]
    run = cli(fake_zoom, *arguments, "--resume")
    assert run.returncode == 0 and "there is no user to send\n" in run.stderr


@pytest.mark.parametrize("option, again", [("", [B, C]), ("=USER_PROTECTED", [B]), ("=zus_err_rejected,User_Protected", [B, C])])
def test_retry_failed_by_code(fake_zoom: FakeZoom, report: Path, option: str, again: List[str]) -> None:
    fake_zoom.add(A, B, C)
    fake_zoom.fail(B, 400, 200, "No.", times=1)
    fake_zoom.fail(C, 409, 3000, "No.", times=1)
    cli(fake_zoom, "deactivate", A, B, C, "--report", str(report))
    assert codes(report) == {A: "ZUS_OK", B: "USER_PROTECTED", C: "REJECTED"}
    # A user after the option is not its value.
    run = cli(fake_zoom, "deactivate", "--report", str(report), f"--retry-failed{option}", A, B, C, "--concurrency", "1")
    assert fake_zoom.updated == [A, *again] and run.returncode == (0 if again == [B, C] else 1), run.stderr


def test_retry_failed_needs_a_code_and_a_report(fake_zoom: FakeZoom, report: Path) -> None:
    run = cli(fake_zoom, "deactivate", A, "--report", str(report), "--retry-failed=BUSY")
    assert run.returncode == 2 and "'BUSY' is not a code" in run.stderr
    run = cli(fake_zoom, "deactivate", A, "--retry-failed")
    assert run.returncode == 2 and "need the report of the earlier run: name it with --report" in run.stderr


def test_earlier_failures_go_last(fake_zoom: FakeZoom, report: Path) -> None:
    fake_zoom.add(A, B, C)
    fake_zoom.fail(A, 400, 300, EVENT, times=1)
    cli(fake_zoom, "deactivate", A, "--report", str(report))
    cli(fake_zoom, "deactivate", A, B, C, "--report", str(report), "--resume", "--concurrency", "1")
    assert fake_zoom.updated == [B, C, A]


def test_upper_and_lower_case_name_the_same_user(fake_zoom: FakeZoom, report: Path) -> None:
    fake_zoom.add(A)
    cli(fake_zoom, "deactivate", A, "--report", str(report))
    run = cli(fake_zoom, "deactivate", A.upper(), "--report", str(report), "--resume")
    assert "there is no user to send" in run.stderr and fake_zoom.updated == [A]


def test_a_report_is_bound_to_its_account_and_api(fake_zoom: FakeZoom, report: Path) -> None:
    fake_zoom.add(A, B)
    cli(fake_zoom, "deactivate", A, "--report", str(report))
    assert [(row["account"], row["api_url"]) for row in rows(report)] == [(fake_zoom.account_id, fake_zoom.api_url)]
    before, sent = report.read_bytes(), len(fake_zoom.ledger)
    resume = ["deactivate", A, B, "--report", str(report), "--resume"]
    run = cli(fake_zoom, *resume, env={"ZOOM_ACCOUNT_ID": "another"})
    assert run.returncode == 2 and "is the report of the account fake-account, but these credentials belong to another" in run.stderr
    with FakeZoom() as other:
        run = cli(other, *resume)
        assert run.returncode == 2 and f"is the report of the API {fake_zoom.api_url}, but this run uses {other.api_url}" in run.stderr
        assert other.ledger == []
    assert report.read_bytes() == before and len(fake_zoom.ledger) == sent
    # A static token does not show its account, so only the API's URL is compared.
    run = cli(fake_zoom, *resume, env={"ZOOM_ACCESS_TOKEN": fake_zoom.access_token, "ZOOM_ACCOUNT_ID": ""})
    assert run.returncode == 0 and fake_zoom.updated == [A, B]


@pytest.mark.parametrize("encoding", ["cp1252", "utf-8", "utf-8-sig"])
@pytest.mark.parametrize("delimiter", [",", ";"])
def test_a_report_that_a_spreadsheet_saved(fake_zoom: FakeZoom, report: Path, encoding: str, delimiter: str) -> None:
    """The report has another delimiter and encoding, lines that end with CR LF, one more column, and blank lines."""
    user = "jürgen@example.com"
    fake_zoom.add(user, A, B)
    fake_zoom.fail(user, 400, 300, EVENT + " für später", times=1)
    cli(fake_zoom, "deactivate", user, A, "--report", str(report))
    saved = [[*row.values(), f"note on {row['user']}"] for row in rows(report)]
    fields = [*rows(report)[0], "my notes"]
    with report.open("w", newline="", encoding=encoding) as file:
        writer = csv.writer(file, delimiter=delimiter, lineterminator="\r\n")
        writer.writerows([fields, *saved, [""] * len(fields), []])
    run = cli(fake_zoom, "deactivate", user, A, B, "--report", str(report), "--resume")
    assert run.returncode == 0 and sorted(fake_zoom.updated) == sorted([user, A, B]), run.stderr
    assert codes(report) == {user: "ZUS_OK", A: "ZUS_OK", B: "ZUS_OK"}
    data = report.read_text("utf-8-sig")
    assert data.splitlines()[0] == ",".join(fields)
    assert {row["user"]: row["my notes"] for row in rows(report)}.get(A, f"note on {A}") == f"note on {A}"


def test_columns_of_an_older_version_and_codes_of_a_newer_one(fake_zoom: FakeZoom, report: Path) -> None:
    fake_zoom.add(A, B, C)
    report.write_text(
        "user,action,code,message,something_new\n"
        f"{A},deactivate,ZUS_OK,,x\n{B},deactivate,ZUS_ERR_OF_TOMORROW,,y\n"
    )
    run = cli(fake_zoom, "deactivate", A, B, C, "--report", str(report), "--resume")
    assert run.returncode == 0 and sorted(fake_zoom.updated) == [B, C], run.stderr
    assert {row["user"]: row["something_new"] for row in rows(report)} == {A: "x", B: "", C: ""}
    assert list(rows(report)[0])[:5] == ["user", "action", "code", "message", "something_new"]
    assert "tracking_id" in rows(report)[0]


def test_other_files_beside_the_report_stay_as_they_are(fake_zoom: FakeZoom, report: Path) -> None:
    fake_zoom.add(A)
    fake_zoom.fail(A, 400, 300, EVENT, times=1)
    beside = report.with_name("r.csv.new")
    beside.write_text("somebody else's")
    cli(fake_zoom, "deactivate", A, "--report", str(report))
    cli(fake_zoom, "deactivate", A, "--report", str(report), "--resume")
    assert len(rows(report)) == 1 and beside.read_text() == "somebody else's"
    assert sorted(report.parent.iterdir()) == [report, beside]


def test_skipped_rows_are_in_the_report_once(fake_zoom: FakeZoom, report: Path, tmp_path: Path) -> None:
    fake_zoom.add(A, B)
    leavers = tmp_path / "leavers.csv"
    leavers.write_text(f"email,name\n{A},A\n,B\nTBD,C\n")
    arguments = ["deactivate", "--csv", str(leavers), "--report", str(report)]
    run = cli(fake_zoom, *arguments)
    assert run.returncode == 1 and re.search(r"(?m)^skipped +2  rows without a user$", run.stdout)
    skipped = [row["message"] for row in rows(report) if row["code"] == "SKIPPED"]
    assert [text.rpartition("/")[2] for text in skipped] == [
        "leavers.csv, line 3: the cell is empty",
        'leavers.csv, line 4: the cell is not an e-mail address or a Zoom user ID: "TBD"',
    ]
    run = cli(fake_zoom, *arguments, "--resume")
    assert run.returncode == 1 and [row["message"] for row in rows(report) if row["code"] == "SKIPPED"] == skipped
    leavers.write_text(f"email,name\n{A},A\n{B},B\n")
    run = cli(fake_zoom, *arguments, "--resume")
    assert run.returncode == 0 and codes(report) == {A: "ZUS_OK", B: "ZUS_OK"}


# ---- names of reports, and counts


def test_a_report_name_that_is_refused(fake_zoom: FakeZoom, tmp_path: Path) -> None:
    for name, says in (("-", "--report takes a file name"), (f"{tmp_path}/newdir/", "is a folder"), (str(tmp_path), "is a folder")):
        run = cli(fake_zoom, "deactivate", A, "--report", name, cwd=tmp_path)
        assert run.returncode == 2 and says in run.stderr and list(tmp_path.iterdir()) == []


def test_an_empty_file_is_a_new_report(fake_zoom: FakeZoom, report: Path) -> None:
    """mktemp makes such a file."""
    fake_zoom.add(A)
    report.touch()
    assert cli(fake_zoom, "deactivate", A, "--report", str(report)).returncode == 0 and codes(report) == {A: "ZUS_OK"}


def test_no_user_counts_twice_when_the_token_fails(fake_zoom: FakeZoom, report: Path) -> None:
    fake_zoom.fail("token", 401, 0, "")
    users = [f"u{n}@example.com" for n in range(40)]
    run = cli(fake_zoom, "deactivate", *users, "--report", str(report), "--json")
    summary = json.loads(run.stdout.splitlines()[-1])["summary"]
    assert run.returncode == 3 and summary["failed"] + summary["not_sent"] == 40 == summary["users"]
    assert summary["failed"] == len(rows(report)) == len(run.stdout.splitlines()) - 1 > 0
    assert f"40 users remain ({summary['not_sent']} not sent, {summary['failed']} failed and may succeed later)" in run.stderr


_MEMORY = """
import sys
from zoom_user_status._cli import main
status = main(sys.argv[1:])
most = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(int(most.split()[1]) // 1024, file=sys.stderr)
sys.exit(status)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has /proc, which tells the memory in use")
def test_a_resume_takes_no_more_memory_than_the_run(fake_zoom: FakeZoom, tmp_path: Path) -> None:
    """The report has 20,000 lines, and the last users failed. docs/command-line.md has the numbers for 200,000 users."""
    users = [f"somebody.with.a.name{n:06}@example.com" for n in range(20_000)]
    fake_zoom.add(*users)
    leavers, report = tmp_path / "leavers.csv", tmp_path / "r.csv"
    leavers.write_text("email\n" + "\n".join(users) + "\n")

    def run(*more: str) -> Any:
        arguments = ["deactivate", "--csv", str(leavers), "--report", str(report), "--rate", "0", "--quiet", *more]
        return subprocess.run(
            [sys.executable, "-c", _MEMORY, *arguments],
            env={**fake_zoom.env, "PYTHONPATH": str(PACKAGE / "src"), "ZUS_LIBRARY": os.environ["ZUS_LIBRARY"]},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
        )

    for user in users[-5:]:
        fake_zoom.fail(user, 400, 300, EVENT, times=1)
    first = run()
    again = run("--resume")
    assert (first.returncode, again.returncode) == (1, 0)
    assert len(rows(report)) == len(users) == len({row["user"] for row in rows(report)})
    assert int(again.stderr.split()[-1]) <= int(first.stderr.split()[-1]) + 2
