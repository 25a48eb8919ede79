"""Tests when a run stops by itself, what it asks before it begins, and how it ends."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Dict, List

import pytest
from conftest import Sandbox, Terminal, clean_env, cli, pty_only, received
from zoom_user_status.testing import FakeZoom

MISSING = [f"missing{n:03}@example.com" for n in range(60)]
USERS = [f"u{n:03}@example.com" for n in range(120)]


def summary(run: Any) -> Dict[str, Any]:
    found: Dict[str, Any] = json.loads(run.stdout.splitlines()[-1])["summary"]
    return found


def test_the_first_25_all_failed_for_the_same_reason(fake_zoom: FakeZoom, tmp_path: Path) -> None:
    report = tmp_path / "r.csv"
    fake_zoom.add(*USERS)
    arguments = ["deactivate", *MISSING, *USERS[:20], "--concurrency", "1", "--report", str(report)]
    run = cli(fake_zoom, *arguments, "--json")
    failed = summary(run)["failed"]  # who is in flight when the 25th has failed ends, too
    assert run.returncode == 3 and 25 <= failed <= 27 and fake_zoom.updated == []
    assert summary(run)["not_sent"] == 80 - failed and len(fake_zoom.ledger) == failed + 1
    assert "stopped: the first 25 users all failed with ZUS_ERR_USER_NOT_FOUND: check that this is the right account" in run.stderr
    assert f"{80 - failed} users remain ({80 - failed} not sent). To continue: zoom-user-status deactivate --resume" in run.stderr
    # The next 25 of a run that goes on are looked at in the same way.
    run = cli(fake_zoom, *arguments, "--resume")
    assert run.returncode == 3 and fake_zoom.updated == []
    run = cli(fake_zoom, *arguments, "--resume")
    assert run.returncode == 1 and sorted(fake_zoom.updated) == USERS[:20]


def test_one_other_result_among_the_first_25_prevents_the_stop(fake_zoom: FakeZoom) -> None:
    fake_zoom.add(USERS[0])
    run = cli(fake_zoom, "deactivate", *MISSING[:10], USERS[0], *MISSING[10:], "--concurrency", "1", "--json")
    assert run.returncode == 1 and summary(run)["failed"] == 60 and summary(run)["done"] == 1
    fake_zoom.fail(MISSING[3], 400, 200)
    assert summary(cli(fake_zoom, "deactivate", *MISSING, "--concurrency", "1", "--json"))["failed"] == 60


def test_a_run_of_25_users_is_not_stopped(fake_zoom: FakeZoom) -> None:
    run = cli(fake_zoom, "deactivate", *MISSING[:25], "--json")
    assert run.returncode == 1 and summary(run)["failed"] == 25 and summary(run)["ended"] == ""


def closed_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def test_25_in_a_row_that_could_not_reach_zoom(fake_zoom: FakeZoom, tmp_path: Path) -> None:
    """The run stops early and does not print a line for each of the 120 users."""
    report = tmp_path / "r.csv"
    env = {"ZOOM_API_URL": f"http://127.0.0.1:{closed_port()}/v2"}
    began = time.monotonic()
    run = cli(fake_zoom, "deactivate", *USERS, "--report", str(report), "--retries", "0", "--json", env=env)
    assert run.returncode == 3 and 25 <= summary(run)["failed"] < 45 and time.monotonic() - began < 20
    assert "stopped: 25 users in a row could not reach Zoom, the last one with ZUS_ERR_CONNECT: see zoom-user-status check" in run.stderr
    assert summary(run)["failed"] + summary(run)["not_sent"] + summary(run)["unknown"] == 120
    assert "120 users remain" in run.stderr


def test_zoom_is_not_reachable_from_the_middle_of_a_run_on(new_sandbox: Any, tmp_path: Path) -> None:
    sandbox: Sandbox = new_sandbox("--users", "600", "--delay", "10")
    users = [f"user{n:05}@example.com" for n in range(1, 601)]
    process = subprocess.Popen(
        [sys.executable, "-m", "zoom_user_status", "deactivate", *users, "--json", "--retries", "0", "--rate", "0", "--concurrency", "4"],
        env=clean_env(sandbox),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    first = [process.stdout.readline() for _ in range(60)]
    assert all(json.loads(line)["ok"] for line in first)
    sandbox.process.kill()
    out, err = process.communicate(timeout=30)
    assert process.returncode == 3 and "25 users in a row could not reach Zoom" in err
    facts = json.loads(out.splitlines()[-1])["summary"]
    assert facts["done"] >= 60 and 25 <= facts["failed"] < 60


def test_retry_failed_does_not_count_for_the_stop(fake_zoom: FakeZoom, tmp_path: Path) -> None:
    report = tmp_path / "r.csv"
    arguments = ["deactivate", *MISSING, "--concurrency", "1", "--report", str(report)]
    assert cli(fake_zoom, *arguments, "--max-failures", "1000").returncode == 1
    run = cli(fake_zoom, *arguments, "--retry-failed", "--json")
    assert run.returncode == 1 and summary(run)["failed"] == 60


def test_users_who_failed_before_do_not_count_for_the_first_25(fake_zoom: FakeZoom, tmp_path: Path) -> None:
    """Otherwise a resume would always stop at these users."""
    report = tmp_path / "r.csv"
    fake_zoom.add(*USERS)
    for user in USERS[:40]:
        fake_zoom.fail(user, 400, 300, "The user has an upcoming Zoom Events scheduled.")
    arguments = ["deactivate", *USERS[:40], "--concurrency", "1", "--report", str(report), "--json"]
    assert cli(fake_zoom, *arguments, "--max-failures", "1000").returncode == 1
    run = cli(fake_zoom, *arguments, "--resume")
    assert run.returncode == 1 and summary(run)["failed"] == 40


def test_max_failures(fake_zoom: FakeZoom) -> None:
    fake_zoom.add(*USERS)
    mixed = [user for pair in zip(USERS, MISSING) for user in pair]
    run = cli(fake_zoom, "deactivate", *mixed, "--concurrency", "1", "--max-failures", "7", "--json")
    found = summary(run)  # the user in flight finishes
    assert run.returncode == 3 and found["failed"] == 7 and found["done"] in (7, 8) and found["unknown"] == 0
    assert "stopped: 7 users failed (--max-failures 7)" in run.stderr and f"{113 - found['done']} users remain" in run.stderr
    run = cli(fake_zoom, "deactivate", USERS[0], "--max-failures", "0")
    assert run.returncode == 2 and "--max-failures: 0 is out of range: use 1 or more" in run.stderr


def test_max_users(fake_zoom: FakeZoom) -> None:
    fake_zoom.add(*USERS)
    run = cli(fake_zoom, "deactivate", *USERS[:11], "--max-users", "10")
    assert run.returncode == 2 and "nothing was sent: there are 11 users, and --max-users allows 10" in run.stderr
    assert fake_zoom.ledger == [] and cli(fake_zoom, "deactivate", *USERS[:10], "--max-users", "10").returncode == 0


def test_ignore_missing(fake_zoom: FakeZoom, tmp_path: Path) -> None:
    """A user who does not exist counts as done. A pending user does not."""
    report = tmp_path / "r.csv"
    fake_zoom.add(USERS[0])
    arguments = ["deactivate", USERS[0], *MISSING, "--concurrency", "1", "--report", str(report), "--ignore-missing", "--json"]
    run = cli(fake_zoom, *arguments)
    assert run.returncode == 0 and (summary(run)["done"], summary(run)["missing"], summary(run)["failed"]) == (61, 60, 0)
    with report.open(newline="") as file:
        assert [row["code"] for row in csv.DictReader(file)] == ["ZUS_OK", *["ZUS_ERR_USER_NOT_FOUND"] * 60]
    run = cli(fake_zoom, *arguments, "--resume")
    assert run.returncode == 0 and summary(run)["before"] == 61 and summary(run)["failed_before"] == 0
    fake_zoom.fail("pending@example.com", 400, 1120, "Invitation not found.")
    run = cli(fake_zoom, "deactivate", "pending@example.com", "--ignore-missing")
    assert run.returncode == 1 and "FAILED pending@example.com" in run.stdout
    run = cli(fake_zoom, "deactivate", MISSING[0], "--ignore-missing")
    assert (run.returncode, run.stdout) == (0, f"{MISSING[0]}: does not exist, which counts as done\n")
    run = cli(fake_zoom, "deactivate", *MISSING, "--ignore-missing")
    assert re.search(r"(?m)^done +60  deactivated, 60 of them because they don't exist$", run.stdout)


# ---- the prompt


@pty_only
@pytest.mark.parametrize("reply, code", [("101\n", 0), ("y\n", 130), ("100\n", 130), ("\n", 130)])
def test_above_100_the_number_is_typed(fake_zoom: FakeZoom, reply: str, code: int) -> None:
    fake_zoom.add(*USERS)
    terminal = Terminal(fake_zoom, "deactivate", *USERS[:101])
    terminal.until("Type the number 101 to continue: ")
    for words in ("account  fake-account", f"API      {fake_zoom.api_url}", f"users    101: {', '.join(USERS[:3])}, ..."):
        assert words in terminal.text
    terminal.type(reply)
    assert terminal.ended() == code and len(fake_zoom.updated) == (0 if code else 101)


# ---- the end


def test_quiet(fake_zoom: FakeZoom, tmp_path: Path) -> None:
    fake_zoom.add(*USERS[:3])
    leavers = tmp_path / "leavers.csv"
    leavers.write_text("mail\n" + f" {USERS[0]}\n{USERS[1]}\n")
    run = cli(fake_zoom, "deactivate", "--quiet", "--csv", str(leavers))
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
    run = cli(fake_zoom, "deactivate", "-q", USERS[0], MISSING[0])
    assert run.returncode == 1 and run.stderr == "" and run.stdout.startswith(f"FAILED {MISSING[0]}") and run.stdout.count("\n") == 1


@pty_only
def test_colour_only_on_a_terminal(fake_zoom: FakeZoom) -> None:
    fake_zoom.add(*USERS[:2])
    arguments = ["deactivate", USERS[0], MISSING[0]]
    terminal = Terminal(fake_zoom, *arguments)
    assert terminal.ended() == 1 and "\x1b[31mFAILED" in terminal.text and "\x1b[32mdone" in terminal.text
    for env in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        terminal = Terminal(fake_zoom, *arguments, env=env)
        assert terminal.ended() == 1 and "FAILED" in terminal.text and "\x1b[3" not in terminal.text
    assert "\x1b" not in cli(fake_zoom, *arguments).stdout


# ---- signals


@pytest.mark.skipif(os.name != "posix", reason="Windows has no POSIX signals, which this test sends")
@pytest.mark.parametrize("ignored", [True, False])
def test_an_ignored_sigint_stays_ignored(new_sandbox: Any, ignored: bool) -> None:
    """A shell ignores SIGINT for a command that it starts with &."""
    sandbox: Sandbox = new_sandbox("--users", "5", "--delay", "1500")
    process = subprocess.Popen(
        [sys.executable, "-m", "zoom_user_status", "deactivate", "user00001@example.com"],
        env=clean_env(sandbox),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN if ignored else signal.default_int_handler),
    )
    received(sandbox, "user00001@example.com")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode == (0 if ignored else 130)


@pytest.mark.skipif(os.name != "posix", reason="Windows has no POSIX signals, which this test sends")
def test_a_user_whose_request_did_not_leave_before_a_ctrl_c_is_not_sent(fake_zoom: FakeZoom) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # a proxy that never responds
        proxy = f"http://127.0.0.1:{silent.getsockname()[1]}"
        process = subprocess.Popen(
            [sys.executable, "-m", "zoom_user_status", "deactivate", "ada@example.com"],
            env=clean_env(fake_zoom, ZOOM_ACCESS_TOKEN="t", ZOOM_API_URL="https://localhost:1/v2", HTTPS_PROXY=proxy),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        connection, _ = silent.accept()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
        connection.close()
    assert process.returncode == 130 and out.startswith("NOT SENT ada@example.com: ")
    assert "1 user remains (1 not sent)" in err and re.search(r"(?m)^not sent +1$", out)


# ---- options


def test_version_and_options(fake_zoom: FakeZoom, tmp_path: Path) -> None:
    import zoom_user_status

    fake_zoom.add(*USERS[:2])
    run = cli(fake_zoom, "--version")
    assert (run.returncode, run.stdout) == (0, f"zoom-user-status {zoom_user_status.__version__}\n")
    log = tmp_path / "run.log"
    run = cli(fake_zoom, "deactivate", USERS[0], "--debug", "--log-file", str(log), "--timeout", "20", "--retries", "1")
    assert run.returncode == 0 and f"deactivate {USERS[0]}: HTTP 204" in run.stderr and "DEBUG" in run.stderr
    assert log.read_text() == run.stderr and fake_zoom.client_secret not in run.stderr and fake_zoom.access_token not in run.stderr
    fake_zoom.fail(USERS[1], 503)
    cli(fake_zoom, "deactivate", USERS[1], "--retries", "1")
    assert len([one for one in fake_zoom.ledger if one.user == USERS[1]]) == 2
    run = cli(fake_zoom, "deactivate", USERS[0], "--ca-file", str(tmp_path / "none.pem"))
    assert run.returncode == 2 and "none.pem: No such file" in run.stderr
    run = cli(fake_zoom, "deactivate", USERS[0], "--proxy", "nonsense://")
    assert run.returncode == 2 and "proxy must be a URL" in run.stderr


@pytest.mark.parametrize(
    "arguments, says",
    [
        (["--csv", "ada@example.com"], "there is no file ada@example.com; write users before --csv"),
        (["--csv", "x.csv", "--column", "ada@example.com"], "'ada@example.com' is a user"),
        (["--csv", "x.csv", "--column", "a", "--no-header"], "--column can't be used with --no-header"),
        (["--csv", "x.csv", "--encoding", "klingon"], "'klingon' is not an encoding"),
        (["ada@example.com", "--timeout", "0"], "up to 86400 seconds"),
        (["ada@example.com", "--dry"], "unrecognized arguments: --dry"),
    ],
)
def test_options_that_are_refused(fake_zoom: FakeZoom, arguments: List[str], says: str) -> None:
    run = cli(fake_zoom, "deactivate", *arguments)
    assert run.returncode == 2 and says in run.stderr and fake_zoom.ledger == []


def test_several_files_after_one_csv(fake_zoom: FakeZoom, tmp_path: Path) -> None:
    for name, user in (("a.csv", USERS[0]), ("b.csv", USERS[1])):
        (tmp_path / name).write_text(f"email\n{user}\n")
    files = [str(tmp_path / "a.csv"), str(tmp_path / "b.csv")]
    with open(files[1]) as standard_input:
        run = cli(fake_zoom, "deactivate", USERS[2], "--csv", files[0], "-", "--dry-run", stdin=standard_input)
    assert run.stdout.splitlines() == [USERS[2], USERS[0], USERS[1]]
    assert cli(fake_zoom, "deactivate", "--csv", *files, "--dry-run").stdout.splitlines() == USERS[:2]
