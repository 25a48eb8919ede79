"""Tests the command line as a person and as a script use it."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Callable, Dict, List, Tuple

import pytest
from conftest import Sandbox, Terminal, clean_env, cli, pty_only, received

USERS = [f"user{n:05}@example.com" for n in range(1, 601)]


def rows(path: Path) -> List[Dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def leavers(path: Path, users: List[str]) -> Path:
    path.write_text("email\n" + "".join(f"{user}\n" for user in users))
    return path


# ---- one and several users


def test_one_user(sandbox: Sandbox) -> None:
    run = cli(sandbox, "deactivate", "ada@example.com")
    assert (run.returncode, run.stdout, run.stderr) == (0, "ada@example.com: deactivated\n", "")
    assert sandbox.ledger()["users"]["ada@example.com"]["status"] == "inactive"
    run = cli(sandbox, "activate", "ada@example.com")
    assert (run.returncode, run.stdout) == (0, "ada@example.com: activated\n")


def test_one_user_who_does_not_exist(sandbox: Sandbox) -> None:
    run = cli(sandbox, "deactivate", "nobody@example.com")
    assert run.returncode == 1
    assert run.stderr == "zoom-user-status: not on this account: check the address, or use --ignore-missing\n"
    assert re.match(r"FAILED nobody@example.com: .*\(HTTP 404, Zoom code 1001\).*\(ZUS_ERR_USER_NOT_FOUND, tracking id v=", run.stdout)


def test_several_users_and_a_summary(sandbox: Sandbox) -> None:
    run = cli(sandbox, "deactivate", "ada@example.com", "admin@example.com", "linus@example.com")
    assert run.returncode == 1
    table = run.stdout.splitlines()[3:]
    assert table[0].split() == ["done", "2", "deactivated"] and table[1].split() == ["failed", "1"]
    assert table[2].split()[:2] == ["1", "ZUS_ERR_USER_PROTECTED"] and "take the admin role away" in table[2]
    assert [line.split()[0] for line in table[3:]] == ["skipped", "not", "time"] and "users a second" in table[-1]


def test_json(sandbox: Sandbox) -> None:
    run = cli(sandbox, "deactivate", "--json", "ada@example.com", "nobody@example.com")
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    by_user = {line["user"]: line for line in lines[:-1]}
    assert by_user["ada@example.com"]["ok"] and by_user["ada@example.com"]["http_status"] == 204
    assert by_user["nobody@example.com"]["code"] == "ZUS_ERR_USER_NOT_FOUND"
    assert by_user["nobody@example.com"]["zoom_code"] == 1001 and by_user["nobody@example.com"]["tracking_id"]
    summary = lines[-1]["summary"]
    assert (summary["users"], summary["done"], summary["failed"], summary["status"]) == (2, 1, 1, 1) and run.returncode == 1


def test_oauth_from_the_environment(sandbox: Sandbox) -> None:
    assert cli(sandbox, "activate", "ada@example.com", env={"ZOOM_ACCESS_TOKEN": ""}).returncode == 0


# ---- usage errors


@pytest.mark.parametrize(
    "arguments, says",
    [
        ([], "required"),
        (["deactivate"], "no users are named"),
        (["frobnicate", "ada@example.com"], "invalid choice"),
        (["deactivate", "--csv", "no-such-file.csv"], "No such file"),
        (["deactivate", "ada@example.com", "--resume"], "--report"),
        (["deactivate", "ada@example.com", "--rate", "-1"], "--rate"),
        (["deactivate", "ada@example.com", "--rate", "5/s"], "--rate: '5/s' is not a number"),
        (["deactivate", "ada@example.com", "--report", ""], "--report: the file name is empty"),
        (["deactivate", "ada@example.com", "--env-file", ""], "--env-file: the file name is empty"),
        (["deactivate", "--csv", ""], "--csv: the file name is empty"),
        (["deactivate", "--yess", "--", "-Kd3"], "unrecognized arguments: --yess"),
        (["check", "--", "ada@example.com"], "unrecognized arguments: ada@example.com"),
        (["deactivate", "ada@example.com", "--concurrency", "0"], "concurrency"),
        (["deactivate", "ada@example.com", "--report", "/no/such/folder/out.csv"], "No such file"),
        (["deactivate", "ada@example.com", "--env-file", "no-such-file"], "No such file"),
    ],
)
def test_a_usage_error_ends_with_2(sandbox: Sandbox, arguments: List[str], says: str) -> None:
    before = sandbox.ledger()["requests"]
    run = cli(sandbox, *arguments)
    assert run.returncode == 2 and says in run.stderr and "Traceback" not in run.stderr
    assert sandbox.ledger()["requests"] == before


@pytest.mark.parametrize(
    "env, says",
    [
        ({"ZOOM_API_URL": "http://example.com/v2"}, "ZOOM_API_URL"),
        ({"ZOOM_OAUTH_URL": "zoom.us"}, "ZOOM_OAUTH_URL"),
        ({"ZOOM_ACCESS_TOKEN": "Bearer abcdef"}, 'ZOOM_ACCESS_TOKEN) alone, without "Bearer "'),
        ({"ZOOM_API_URL": "https://localhost/v2", "HTTPS_PROXY": "not a proxy"}, "HTTPS_PROXY"),
    ],
)
def test_a_wrong_environment_is_a_usage_error(sandbox: Sandbox, env: Dict[str, str], says: str) -> None:
    run = cli(sandbox, "check", env=env)
    assert run.returncode == 2 and says in run.stderr and "abcdef" not in run.stderr


def test_users_before_and_after_two_dashes(sandbox: Sandbox) -> None:
    run = cli(sandbox, "deactivate", "a@example.com", "--dry-run", "--", "-Kd3", "--yes")
    assert (run.returncode, run.stdout) == (0, "a@example.com\n-Kd3\n--yes\n")


def test_missing_credentials_are_a_usage_error(sandbox: Sandbox) -> None:
    gone = {name: "" for name in sandbox.env if "URL" not in name}
    for command in (["check"], ["deactivate", "ada@example.com"]):
        run = cli(sandbox, *command, env=gone)
        assert run.returncode == 2 and "ZOOM_ACCESS_TOKEN or ZOOM_ACCOUNT_ID" in run.stderr


def test_help_says_how_to_resume_and_what_the_statuses_are(sandbox: Sandbox) -> None:
    text = cli(sandbox, "deactivate", "--help").stdout
    for word in ("--resume", "--dry-run", "130", "sent", "again", "ZOOM_CLIENT_SECRET", "--yes"):
        assert word in text


# ---- check


def test_check(sandbox: Sandbox) -> None:
    before = sandbox.ledger()["requests"]
    run = cli(sandbox, "check", env={"ZOOM_ACCESS_TOKEN": ""})
    assert run.returncode == 0, run.stderr
    assert "sandbox-account" in run.stdout and "user:" in run.stdout and "sandbox-secret" not in run.stdout + run.stderr
    facts = json.loads(cli(sandbox, "check", "--json", env={"ZOOM_ACCESS_TOKEN": ""}).stdout)
    assert facts["ok"] and facts["account_id"] == "sandbox-account" and facts["scopes"]
    assert sandbox.ledger()["requests"] == before


# ---- CSV


@pytest.mark.parametrize(
    "data",
    [
        b"email\nuser00001@example.com\nuser00002@example.com\n",
        b"\xef\xbb\xbfemail;name\r\nuser00001@example.com;A\r\nuser00002@example.com;B\r\n",
        b'"Name","Email","Note"\r\n"Doe, Jane","user00001@example.com","says ""hi"""\r\n\r\n"x"," user00002@example.com ","a\nb"\r\n',
        b"sep=;\r\nEMAIL;x\r\nuser00001@example.com;1\r\nuser00002@example.com;2\r\n",
        b"name\temail\nA\tuser00001@example.com\nB\tuser00002@example.com",
        "name\temail\r\nÄ\tuser00001@example.com\r\nB\tuser00002@example.com\r\n".encode("utf-16"),
        b"\n\nuser00001@example.com\n\n  user00002@example.com  \n",
        b"email,name\nuser00001@example.com,A\n,\nuser00002@example.com\nuser00001@example.com,again\n",
        b'"Name; first; last",email\nA;B;C,user00001@example.com\nD,user00002@example.com\n',
        b"sep=\t\r\nemail\tx;y\r\nuser00001@example.com\t1\r\nuser00002@example.com\t2\r\n",
    ],
    ids=["plain", "excel", "quoted", "sep", "tabs", "utf-16", "bare", "gaps", "quoted signs", "sep tab"],
)
def test_csv(sandbox: Sandbox, tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "leavers.csv"
    path.write_bytes(data)
    run = cli(sandbox, "deactivate", "--csv", str(path), "--dry-run")
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines() == USERS[:2]
    with path.open("rb") as file:
        assert cli(sandbox, "deactivate", "--csv", "-", "--dry-run", stdin=file).stdout.splitlines() == USERS[:2]


def test_invisible_characters_around_a_user_are_removed(sandbox: Sandbox) -> None:
    run = cli(sandbox, "activate", "\u200b ada@example.com \u200b\ufeff\t")
    assert run.returncode == 0 and "or invisible characters removed from 1 user" in run.stderr


def test_csv_notices(sandbox: Sandbox, tmp_path: Path) -> None:
    path = tmp_path / "leavers.csv"
    path.write_bytes(b"email,name\n user00001@example.com,A\n ,B\nuser00001@example.com,again\n")
    run = cli(sandbox, "deactivate", "--csv", str(path), "--dry-run")
    assert run.returncode == 1
    for words in ("or invisible characters removed from 1 user", "1 duplicate removed", "1 row skipped because the cell is empty: line 3"):
        assert words in run.stderr


@pytest.mark.parametrize(
    "data, says",
    [
        (b"name,address\nA,user00001@example.com\n", "no column that names the user: use --column NAME, or --no-header for a list without a header. The columns are 'name', 'address'"),
        (b"email,Email\na,b\n", "more than one column"),
        (b"email\nj\x81rgen@example.com\n", "neither UTF-8 nor cp1252"),
        (b'email\n"user00001@example.com\n', "line 2: a quotation mark begins"),
        (b"", "is empty and has no header"),
        (b"\xef\xbb\xbf\r\n  \r\n,,\r\n", "is empty and has no header"),
    ],
)
def test_csv_that_is_refused(sandbox: Sandbox, tmp_path: Path, data: bytes, says: str) -> None:
    path = tmp_path / "leavers.csv"
    path.write_bytes(data)
    run = cli(sandbox, "deactivate", "--csv", str(path))
    assert run.returncode == 2 and says in run.stderr


def test_another_column_and_a_file_without_users(sandbox: Sandbox, tmp_path: Path) -> None:
    path = tmp_path / "okta.csv"
    path.write_text("Login,Status\nuser00003@example.com,DEPROVISIONED\n")
    run = cli(sandbox, "deactivate", "--csv", str(path), "--column", " login", "--dry-run")
    assert run.stdout == "user00003@example.com\n"
    path.write_text("email\n")
    run = cli(sandbox, "deactivate", "--csv", str(path))
    assert run.returncode == 0 and run.stdout.splitlines()[0].split() == ["done", "0", "deactivated"]


def test_several_lists(sandbox: Sandbox, tmp_path: Path) -> None:
    lists = [leavers(tmp_path / f"{n}.csv", [USERS[n]]) for n in range(2)]
    run = cli(sandbox, "deactivate", "--csv", str(lists[0]), "--csv", str(lists[1]), "--dry-run")
    assert run.stdout.splitlines() == USERS[:2]


def test_a_dry_run_needs_no_credentials_and_sends_nothing(sandbox: Sandbox) -> None:
    before = sandbox.ledger()["requests"]
    gone = {name: "" for name in sandbox.env}
    run = cli(sandbox, "deactivate", "--dry-run", "ada@example.com", env=gone)
    assert (run.returncode, run.stdout) == (0, "ada@example.com\n") and "nothing was sent" in run.stderr
    assert sandbox.ledger()["requests"] == before


# ---- the report


def test_the_report(sandbox: Sandbox, tmp_path: Path) -> None:
    report = tmp_path / "out.csv"
    run = cli(sandbox, "deactivate", "user00001@example.com", "nobody@example.com", "--report", str(report))
    assert run.returncode == 1
    found = {row["user"]: row for row in rows(report)}
    done, failed = found["user00001@example.com"], found["nobody@example.com"]
    assert (done["action"], done["code"], done["http_status"], done["attempts"]) == ("deactivate", "ZUS_OK", "204", "1")
    assert (failed["code"], failed["http_status"], failed["zoom_code"]) == ("ZUS_ERR_USER_NOT_FOUND", "404", "1001")
    assert failed["message"] and failed["tracking_id"].startswith("v=2.0")
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", done["time"])


def test_resume(new_sandbox: Callable[..., Sandbox], tmp_path: Path) -> None:
    sandbox = new_sandbox("--users", "10")
    report = tmp_path / "out.csv"
    users = ["user00001@example.com", "nobody@example.com", "answer-503@example.com"]
    command = ["deactivate", *users, "--report", str(report)]
    run = cli(sandbox, *command)
    assert run.returncode == 1 and "--resume" in run.stderr and "1 user remains (1 failed and may succeed later)" in run.stderr
    run = cli(sandbox, *command)
    assert run.returncode == 2 and "exists" in run.stderr
    before = sandbox.ledger()["requests"]
    run = cli(sandbox, *command, "user00002@example.com", "--resume")
    assert run.returncode == 1 and "2 of 4 users are in the report already: 1 done, 1 failed (1 ZUS_ERR_USER_NOT_FOUND)" in run.stderr
    assert sandbox.ledger()["users"]["user00001@example.com"]["received"] == 1
    assert sandbox.ledger()["users"]["nobody@example.com"]["received"] == 1
    assert sandbox.ledger()["requests"] == before + 1 + 4
    assert sorted(row["user"] for row in rows(report)) == sorted([*users, "user00002@example.com"])
    # A failure of an earlier run still counts.
    run = cli(sandbox, "deactivate", *users[:2], "--report", str(report), "--resume")
    assert run.returncode == 1
    run = cli(sandbox, "deactivate", users[0], "--report", str(report), "--resume")
    assert run.returncode == 0
    # Without a report, --resume does a first run.
    assert cli(sandbox, "activate", users[0], "--report", str(tmp_path / "new.csv"), "--resume").returncode == 0
    run = cli(sandbox, "activate", users[0], "--report", str(report), "--resume")
    assert run.returncode == 2 and "another action (deactivate)" in run.stderr


def test_a_resume_keeps_the_lines_of_others(sandbox: Sandbox, tmp_path: Path) -> None:
    report = tmp_path / "out.csv"
    users = ["user00001@example.com", "answer-503@example.com"]
    cli(sandbox, "deactivate", *users, "--report", str(report))
    before = report.read_bytes()
    assert cli(sandbox, "deactivate", users[0], "--report", str(report), "--resume").returncode == 0
    assert report.read_bytes() == before


def test_a_user_with_an_older_line_too(sandbox: Sandbox, tmp_path: Path) -> None:
    # A run that was killed after it had sent a user again leaves two lines: the last one counts.
    report = tmp_path / "out.csv"
    cli(sandbox, "deactivate", "answer-503@example.com", USERS[0], "--report", str(report))
    again = rows(report)
    last = {**again[0], "user": "answer-503@example.com", "code": "ZUS_OK"}
    report.write_text(report.read_text() + ",".join(last.values()).replace(again[0]["message"], "") + "\n")
    run = cli(sandbox, "deactivate", "answer-503@example.com", USERS[0], "--report", str(report), "--resume")
    assert run.returncode == 0 and "2 of 2 users are in the report already: 2 done" in run.stderr
    assert sorted((row["user"], row["code"]) for row in rows(report)) == [
        ("answer-503@example.com", "ZUS_OK"),
        (USERS[0], "ZUS_OK"),
    ]


@pytest.mark.skipif(os.name != "posix", reason="the lock of the report is flock, which only POSIX systems have")
def test_a_report_is_of_one_run_at_a_time(sandbox: Sandbox, tmp_path: Path) -> None:
    report = tmp_path / "out.csv"
    command = ["deactivate", "answer-never@example.com", "ada@example.com", "--report", str(report), "--resume"]
    process = running(sandbox, *command)
    assert process.stdout and process.stdout.readline() == "ada@example.com: deactivated\n"
    run = cli(sandbox, *command)
    assert run.returncode == 2 and f"{report} is in use by another run" in run.stderr
    assert cli(sandbox, *command, "--dry-run").stdout == "answer-never@example.com\n"
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert {row["user"] for row in rows(report)} == {"ada@example.com", "answer-never@example.com"}


@pytest.mark.parametrize("cut", range(1, 130, 9))
def test_an_incomplete_last_line(sandbox: Sandbox, tmp_path: Path, cut: int) -> None:
    report = tmp_path / "out.csv"
    users = USERS[:3]
    assert cli(sandbox, "deactivate", *users, "--report", str(report), "--concurrency", "1").returncode == 0
    whole = report.read_bytes()
    report.write_bytes(whole[:-cut])
    run = cli(sandbox, "deactivate", *users, "--report", str(report), "--resume")
    assert run.returncode == 0, run.stderr
    assert sorted(row["user"] for row in rows(report)) == users
    assert {row["code"] for row in rows(report)} == {"ZUS_OK"}


def test_a_report_with_an_incomplete_header(sandbox: Sandbox, tmp_path: Path) -> None:
    report = tmp_path / "out.csv"
    for start in (b"", b"use"):
        report.write_bytes(start)
        assert cli(sandbox, "activate", "ada@example.com", "--report", str(report), "--resume").returncode == 0
        assert [row["user"] for row in rows(report)] == ["ada@example.com"]


@pytest.mark.parametrize("text", ["my diary", "my diary\n", "a,b,c\n1,2,3\n", "\xff\xfe\n"])
def test_another_file_is_never_overwritten(sandbox: Sandbox, tmp_path: Path, text: str) -> None:
    path = tmp_path / "diary.txt"
    path.write_bytes(text.encode("latin-1"))
    for more in ([], ["--resume"]):
        assert cli(sandbox, "activate", "ada@example.com", "--report", str(path), *more).returncode == 2
        assert path.read_bytes() == text.encode("latin-1")


@pytest.mark.parametrize("name", ["/dev/full", "/dev/null", "/"])
def test_a_report_is_a_file(sandbox: Sandbox, name: str) -> None:
    for more in ([], ["--resume"]):
        assert cli(sandbox, "activate", "ada@example.com", "--report", name, *more).returncode == 2
    assert not Path(name).is_file()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of a file, with which this test fills the disk")
def test_a_full_disk_stops_the_run(sandbox: Sandbox, tmp_path: Path) -> None:
    import resource

    report = tmp_path / "out.csv"
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))  # noqa: E731
    command = ["deactivate", *USERS, "--report", str(report)]
    run = cli(sandbox, *command, "--rate", "0", "--concurrency", "4", preexec_fn=limit)
    assert run.returncode == 3 and "can't be written" in run.stderr and "Traceback" not in run.stderr
    assert 8000 < report.stat().st_size <= 8192
    assert cli(sandbox, *command, "--rate", "0", "--resume").returncode == 0
    assert sorted(row["user"] for row in rows(report)) == USERS


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of a file, with which this test fills the disk")
def test_a_disk_that_is_full_from_the_start(sandbox: Sandbox, tmp_path: Path) -> None:
    import resource

    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))  # noqa: E731
    run = cli(sandbox, "deactivate", "ada@example.com", "--report", str(tmp_path / "out.csv"), preexec_fn=limit)
    assert run.returncode == 2 and "out.csv: File too large" in run.stderr and "Traceback" not in run.stderr
    assert not list(tmp_path.iterdir())


def broken(sandbox: Sandbox, how: str, *arguments: str) -> Any:
    """Runs the command line with a function of the operating system that fails."""
    start = f"import errno, os, sys; from zoom_user_status._cli import main\n{how}\nsys.exit(main())"
    return subprocess.run(
        [sys.executable, "-c", start, *arguments], env=clean_env(sandbox), capture_output=True, text=True, timeout=60
    )


def test_a_disk_that_fails_at_the_end(sandbox: Sandbox, tmp_path: Path) -> None:
    report = tmp_path / "out.csv"
    how = """
def fsync(file, real=os.fsync, calls=[]):
    calls.append(file)
    if len(calls) > 1:
        raise OSError(errno.EIO, "the disk is broken")
os.fsync = fsync
"""
    run = broken(sandbox, how, "deactivate", "ada@example.com", "--report", str(report))
    assert run.returncode == 3 and f"{report} can't be written: the disk is broken" in run.stderr
    assert "Traceback" not in run.stderr and len(rows(report)) == 1


def test_older_lines_that_cannot_be_removed(sandbox: Sandbox, tmp_path: Path) -> None:
    report = tmp_path / "out.csv"
    command = ["deactivate", "answer-503@example.com", "--report", str(report), "--resume"]
    cli(sandbox, *command)
    how = """
def replace(source, target):
    raise OSError(errno.ENOSPC, "no room")
os.replace = replace
"""
    run = broken(sandbox, how, *command)
    assert run.returncode == 1 and "the older lines could not be removed (no room)" in run.stderr and "Traceback" not in run.stderr
    assert len(rows(report)) == 2 and list(tmp_path.iterdir()) == [report]
    cli(sandbox, *command)
    assert len(rows(report)) == 1


def test_ids_and_messages_stay_on_one_line(sandbox: Sandbox, tmp_path: Path) -> None:
    report = tmp_path / "out.csv"
    run = cli(sandbox, "deactivate", "a\nb\x1b[31m@example.com", "answer-300@example.com", "--report", str(report))
    assert run.returncode == 1 and "\x1b" not in run.stdout + run.stderr
    assert len(report.read_text().splitlines()) == 3
    run = cli(
        sandbox, "deactivate", "a\nb\x1b[31m@example.com", "answer-300@example.com", "--report", str(report), "--resume"
    )
    assert "2 of 2 users are in the report already" in run.stderr


# ---- how a run ends


def test_a_rejected_token_stops_the_run_early(sandbox: Sandbox, tmp_path: Path) -> None:
    report = tmp_path / "out.csv"
    env = {"ZOOM_ACCESS_TOKEN": "expired"}
    run = cli(sandbox, "deactivate", *USERS, "--report", str(report), "--rate", "0", env=env)
    assert run.returncode == 3 and "ZUS_ERR_UNAUTHORIZED" in run.stderr and "600 users remain (" in run.stderr
    failed = len(rows(report))
    assert 0 < failed < 100 and f"({600 - failed} not sent, {failed} failed and may succeed later)" in run.stderr
    again = re.search(r"To continue: zoom-user-status (.*)", run.stderr)
    assert again
    run = cli(sandbox, *again.group(1).split())
    assert run.returncode == 0 and "600  deactivated" in run.stdout
    assert sorted(row["user"] for row in rows(report)) == USERS


def test_the_command_to_resume_with_an_id_like_an_option(sandbox: Sandbox, tmp_path: Path) -> None:
    report = tmp_path / "out.csv"
    env = {"ZOOM_ACCESS_TOKEN": "expired"}
    run = cli(sandbox, "deactivate", "--report", str(report), "--", "-Kd3", env=env)
    again = re.search(r"To continue: zoom-user-status (.*)", run.stderr)
    assert run.returncode == 3 and again
    run = cli(sandbox, *again.group(1).split())
    assert run.returncode == 1 and [(row["user"], row["code"]) for row in rows(report)] == [("-Kd3", "ZUS_ERR_USER_NOT_FOUND")]


def test_the_daily_limit_stops_early_and_says_when(new_sandbox: Callable[..., Sandbox], tmp_path: Path) -> None:
    sandbox = new_sandbox("--users", "100", "--daily", "40")
    report = tmp_path / "out.csv"
    run = cli(sandbox, "deactivate", *USERS[:100], "--report", str(report), "--rate", "0")
    assert run.returncode == 3 and "ZUS_ERR_DAILY_LIMIT" in run.stderr and "try again in" in run.stderr
    assert "60 users remain" in run.stderr


def test_a_closed_pipe_does_not_stop_the_run(sandbox: Sandbox) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "zoom_user_status", "deactivate", "-v", "--rate", "0", *USERS[:200]],
        env=clean_env(sandbox),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout and process.stderr
    process.stdout.close()
    assert process.wait(20) == 0 and process.stderr.read() == b""
    process.stderr.close()
    assert all(sandbox.ledger()["users"][user]["status"] == "inactive" for user in USERS[:200])


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has /dev/full, an output that is always full")
def test_an_output_that_cannot_be_written(sandbox: Sandbox, tmp_path: Path) -> None:
    report = tmp_path / "out.csv"
    with open("/dev/full", "w") as full:
        run = cli(sandbox, "deactivate", "-v", *USERS[:30], "--report", str(report), stdout=full)
        assert cli(sandbox, "check", stdout=full).returncode == 1
    # The exit status isn't 0, because the output that says who is done was lost.
    assert run.returncode == 1 and run.stderr.count("the standard output can't be written") == 1
    assert sorted(row["user"] for row in rows(report)) == USERS[:30]
    assert "Traceback" not in run.stderr and len(run.stderr.splitlines()) == 1


@pytest.mark.skipif(os.name != "posix", reason="Windows has no POSIX shell, which closes the streams here")
@pytest.mark.parametrize("streams", [">&-", "<&-", "2>&-", "<&- >&- 2>&-"])
def test_without_a_standard_stream(sandbox: Sandbox, tmp_path: Path, streams: str) -> None:
    report = tmp_path / "out.csv"
    shell = ["sh", "-c", f'exec "$@" {streams}', "sh", sys.executable, "-m", "zoom_user_status"]
    run = subprocess.run(
        [*shell, "activate", *USERS[:2], "--report", str(report)],
        env=clean_env(sandbox),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert run.returncode == 0 and run.stderr == ""
    assert len(run.stdout.splitlines()) == (0 if ">&-" in streams.replace("2>", "") else 7)
    assert sorted(row["user"] for row in rows(report)) == USERS[:2] and len(report.read_text().splitlines()) == 3


def running(sandbox: Sandbox, *arguments: str) -> "subprocess.Popen[str]":
    """Starts the command line with a pipe as its output, buffered as Python does it by default."""
    env = clean_env(sandbox)
    del env["PYTHONUNBUFFERED"]
    return subprocess.Popen(
        [sys.executable, "-m", "zoom_user_status", *arguments],
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.skipif(os.name != "posix", reason="Windows has no POSIX signals, which this test sends")
def test_a_pipe_gets_each_line_at_once(new_sandbox: Callable[..., Sandbox]) -> None:
    sandbox = new_sandbox()
    process = running(sandbox, "activate", "answer-never@example.com", "ada@example.com")
    assert process.stdout and process.stdout.readline() == "ada@example.com: activated\n"
    received(sandbox, "answer-never@example.com")
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=20)
    # The other user is in flight.
    assert process.returncode == 130 and out.startswith("OUTCOME UNKNOWN answer-never@example.com: ")


@pytest.mark.skipif(os.name != "posix", reason="Windows has no POSIX signals, which this test sends")
def test_a_user_in_flight_at_a_ctrl_c_has_an_unknown_outcome_and_not_failed(
    new_sandbox: Callable[..., Sandbox], tmp_path: Path
) -> None:
    sandbox = new_sandbox()
    report = tmp_path / "out.csv"
    users = ["answer-never@example.com", "ada@example.com"]
    process = running(sandbox, "activate", "--json", *users, "--report", str(report))
    assert process.stdout and json.loads(process.stdout.readline())["user"] == users[1]
    received(sandbox, users[0])
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    line, summary = map(json.loads, out.splitlines())
    assert (line["user"], line["code"]) == (users[0], "ZUS_ERR_CANCELLED")
    facts = summary["summary"]
    assert (facts["done"], facts["failed"], facts["unknown"], facts["not_sent"], facts["status"]) == (1, 0, 1, 0, 130)
    assert "1 user remains (1 with unknown outcome)" in err
    assert [row["code"] for row in rows(report)] == ["ZUS_OK", "ZUS_ERR_CANCELLED"]


def stopped(sandbox: Sandbox, report: Path, *numbers: int) -> Tuple[int, str, str, float]:
    """Runs 600 users and sends these signals quickly one after another."""
    process = subprocess.Popen(
        [sys.executable, "-m", "zoom_user_status", "deactivate", *USERS, "--report", str(report), "--rate", "200"],
        env=clean_env(sandbox),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    until = time.monotonic() + 60
    while not report.exists() or len(report.read_text().splitlines()) < 50:
        assert time.monotonic() < until and process.poll() is None
        time.sleep(0.02)
    began = time.monotonic()
    for number in numbers:
        process.send_signal(number)
        time.sleep(0.01)
    out, err = process.communicate(timeout=10)
    return process.returncode, out, err, time.monotonic() - began


@pytest.mark.skipif(os.name != "posix", reason="Windows has no POSIX signals, which this test sends")
@pytest.mark.parametrize("numbers", [(signal.SIGINT,), (signal.SIGINT, signal.SIGINT), (signal.SIGTERM,)])
def test_ctrl_c(new_sandbox: Callable[..., Sandbox], tmp_path: Path, numbers: Tuple[int, ...]) -> None:
    sandbox = new_sandbox("--users", "600", "--delay", "60")
    report = tmp_path / "out.csv"
    code, out, err, seconds = stopped(sandbox, report, *numbers)
    assert code == (143 if numbers[0] == signal.SIGTERM else 130) and seconds < 5 and "Traceback" not in err
    assert re.search(r"users remain \(.*\)\. To continue: zoom-user-status deactivate", err) and "--resume" in err
    assert re.search(r"(?m)^done +\d+  deactivated$", out) and re.search(r"(?m)^failed +0$", out)
    found = rows(report)
    assert len({row["user"] for row in found}) == len(found) < 600
    done = {row["user"] for row in found if row["code"] == "ZUS_OK"}
    assert set(sandbox.ledger()["users"]) <= {row["user"] for row in found}
    left = re.search(r"(\d+) users remain", err)
    assert left and int(left.group(1)) == 600 - len(done)
    run = cli(sandbox, "deactivate", *USERS, "--report", str(report), "--rate", "0", "--resume")
    assert run.returncode == 0, run.stderr
    ledger = sandbox.ledger()["users"]
    assert sorted(row["user"] for row in rows(report)) == USERS == sorted(ledger)
    assert all(ledger[user]["received"] == 1 for user in done)
    assert all(user["status"] == "inactive" for user in ledger.values())


# ---- on a terminal


@pty_only
@pytest.mark.parametrize("reply, code", [("y\n", 0), ("yes\n", 0), ("n\n", 130), ("\n", 130), ("\x04", 130)])
def test_the_prompt(new_sandbox: Callable[..., Sandbox], tmp_path: Path, reply: str, code: int) -> None:
    sandbox = new_sandbox("--users", "20")
    report = tmp_path / "out.csv"
    terminal = Terminal(sandbox, "deactivate", *USERS[:11], "--report", str(report))
    terminal.until("Deactivate 11 users?")
    assert sandbox.ledger()["requests"] == 0
    terminal.type(reply)
    assert terminal.ended() == code
    assert sandbox.ledger()["requests"] == (0 if code else 11) and report.exists() == (code == 0)


@pty_only
@pytest.mark.parametrize(
    "arguments",
    [["deactivate", *USERS[:10]], ["activate", *USERS[:11]], ["deactivate", "--yes", *USERS[:11]]],
)
def test_no_prompt(sandbox: Sandbox, arguments: List[str]) -> None:
    terminal = Terminal(sandbox, *arguments)
    assert terminal.ended() == 0 and "y/N" not in terminal.text


@pty_only
def test_ctrl_c_at_the_prompt(sandbox: Sandbox) -> None:
    before = sandbox.ledger()["requests"]
    terminal = Terminal(sandbox, "deactivate", *USERS[:11])
    terminal.until("Deactivate 11 users?")
    terminal.process.send_signal(signal.SIGINT)
    assert terminal.ended() == 130 and "Traceback" not in terminal.text
    assert sandbox.ledger()["requests"] == before


@pty_only
def test_without_a_keyboard_the_run_needs_yes(sandbox: Sandbox, tmp_path: Path) -> None:
    import pty

    path = leavers(tmp_path / "leavers.csv", USERS[:11])
    master, slave = pty.openpty()
    with path.open() as file:
        run: Any = cli(sandbox, "deactivate", "--csv", "-", stdin=file, stderr=slave)
    assert run.returncode == 2
    os.close(slave)
    assert b"--yes" in os.read(master, 4096)
    os.close(master)


@pty_only
@pytest.mark.parametrize("columns", [120, 0])
def test_the_progress_bar(new_sandbox: Callable[..., Sandbox], columns: int) -> None:
    sandbox = new_sandbox("--users", "600", "--delay", "20")
    terminal = Terminal(sandbox, "activate", *USERS[:300], "nobody@example.com", "--rate", "0", columns=columns)
    assert terminal.ended() == 1
    assert re.search(r"\d+%\|", terminal.text) and "301/301" in terminal.text
    assert "failed=1" in terminal.text and re.search(r"users/s", terminal.text) and re.search(r"<\d\d:\d\d", terminal.text)
    assert "FAILED nobody@example.com" in terminal.text and re.search(r"done +300  activated", terminal.text)


@pty_only
def test_the_bar_counts_no_cancelled_user(new_sandbox: Callable[..., Sandbox]) -> None:
    sandbox = new_sandbox()
    terminal = Terminal(sandbox, "activate", "answer-never@example.com", "ada@example.com")
    terminal.until("ada@example.com: activated")
    received(sandbox, "answer-never@example.com")
    terminal.process.send_signal(signal.SIGINT)
    assert terminal.ended() == 130 and "OUTCOME UNKNOWN answer-never@example.com" in terminal.text
    assert "failed=1" not in terminal.text and "2/2" not in terminal.text and re.search(r"failed +0", terminal.text)


def test_no_bar_without_a_terminal(sandbox: Sandbox) -> None:
    run = cli(sandbox, "activate", *USERS[:50], "--rate", "0")
    assert run.stderr == "" and len(run.stdout.splitlines()) == 5
