"""Tests zoom_user_status.testing as the tests of other programs use it, and the texts of values."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path
from typing import List, get_args

import pytest
import zoom_user_status as zus
from conftest import PACKAGE, clean_env, cli
from zoom_user_status import Action, Code, Result
from zoom_user_status.testing import FakeZoom, Request


def test_users_and_the_ledger(fake_zoom: FakeZoom) -> None:
    fake_zoom.add("Ada@example.com", "linus@example.com", dept="Sales")
    with fake_zoom.client() as zoom:
        assert zoom.deactivate("ada@example.com").http_status == 204
        assert zoom.activate("linus@example.com") and zoom.clock_in("linus@example.com")
        with pytest.raises(zus.UserNotFound) as raised:
            zoom.deactivate("nobody@example.com")
        assert raised.value.zoom_code == 1001 and raised.value.tracking_id
        assert list(zoom.update_many(["id-0"], "activate"))[0].ok
    assert (fake_zoom.status("ADA@example.com"), fake_zoom.status("nobody@example.com")) == ("active", None)
    assert fake_zoom.updated == ["ada@example.com", "linus@example.com", "linus@example.com", "id-0"]
    token, first, *_ = fake_zoom.ledger
    assert token.method == "POST" and token.path == "/oauth/token"
    assert first == Request("PUT", "/v2/users/ada@example.com/status", "ada@example.com", "deactivate", 204)


def test_the_fake_zoom_understands_json(fake_zoom: FakeZoom) -> None:
    fake_zoom.add("ada@example.com")
    with fake_zoom.client(encoding="json") as zoom:
        assert zoom.deactivate("ada@example.com") and fake_zoom.status("ada@example.com") == "inactive"


def test_the_fake_zoom_fails_on_demand(fake_zoom: FakeZoom) -> None:
    fake_zoom.add("ada@example.com", "room@example.com")
    fake_zoom.fail("room@example.com", 400, 200, "not for Zoom Rooms")
    fake_zoom.fail("ada@example.com", 429, 429, "slow down", times=1, retry_after="0")
    fake_zoom.fail("ada@example.com", 503, times=1)
    with fake_zoom.client() as zoom:
        assert zoom.deactivate("ada@example.com").attempts == 3
        for _ in range(2):
            with pytest.raises(zus.UserProtected, match="not for Zoom Rooms"):
                zoom.deactivate("room@example.com")
    assert fake_zoom.status("room@example.com") == "active"


def test_the_fake_zoom_checks_credentials(fake_zoom: FakeZoom) -> None:
    env = {**fake_zoom.env, "ZOOM_CLIENT_SECRET": "wrong"}
    with zus.from_env(env) as zoom, pytest.raises(zus.TokenError, match="invalid_client"):
        zoom.check_credentials()
    with zus.Client("wrong", base_url=fake_zoom.api_url) as zoom, pytest.raises(zus.Unauthorized):
        zoom.deactivate("ada@example.com")
    with fake_zoom.client() as zoom:
        assert zoom.check_credentials().scopes == tuple(fake_zoom.scopes.split())


def test_reading_a_user(fake_zoom: FakeZoom) -> None:
    fake_zoom.add("ada@example.com", status="pending", role_name="Member")
    request = urllib.request.Request(f"{fake_zoom.api_url}/users/ada@example.com", headers={"Authorization": "Bearer fake-token"})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=10) as response:
        assert b'"status": "pending"' in response.read()
    assert fake_zoom.ledger[-1] == Request("GET", "/v2/users/ada@example.com", "ada@example.com", "", 200)


def test_the_readmes_test_suite_passes(tmp_path: Path, fake_zoom: FakeZoom) -> None:
    """The test suite is the one in the README."""
    page = (PACKAGE / "README.md").read_text(encoding="utf-8")
    suite = page.partition("```python\n# test_offboarding.py\n")[2].partition("```")[0]
    assert "fake_zoom" in suite
    (tmp_path / "test_offboarding.py").write_text(suite)
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "zoom_user_status.pytest_plugin", "-p", "no:cacheprovider", str(tmp_path)],
        env=clean_env(fake_zoom),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert run.returncode == 0 and " passed" in run.stdout, run.stdout + run.stderr


def test_the_command_line_takes_its_env(fake_zoom: FakeZoom) -> None:
    fake_zoom.add("ada@example.com")
    assert cli(fake_zoom, "deactivate", "ada@example.com").returncode == 0 and fake_zoom.updated == ["ada@example.com"]


# ---- the texts of values


def test_a_codes_text_is_the_same_on_every_python() -> None:
    assert str(Code.USER_NOT_FOUND) == f"{Code.USER_NOT_FOUND}" == "%s" % Code.USER_NOT_FOUND == "ZUS_ERR_USER_NOT_FOUND"
    assert f"{Code.OK:>8}|{Code.USER_NOT_FOUND:d}|{Code.USER_NOT_FOUND:#x}" == "  ZUS_OK|43|0x2b"
    assert str(Code(60)) == "ZUS_ERR_UNKNOWN" and Code(60) == 60 and repr(Code.OK) == "<Code.OK: 0>"


def test_a_result_is_true_when_it_is_done() -> None:
    assert Result("a", Action.ACTIVATE, Code.OK) and not Result("a", Action.ACTIVATE, Code.SERVER)


def test_transient_codes() -> None:
    assert {Code.USER_BUSY, Code.USER_LIMIT, Code.SERVER, Code.CANCELLED} <= {code for code in Code if code.transient}
    assert not {Code.OK, Code.USER_NOT_FOUND, Code.USER_PROTECTED, Code.REJECTED, Code.ARGUMENT} & {code for code in Code if code.transient}


def test_an_exception_has_what_its_result_has() -> None:
    result = Result("a@x", Action.ACTIVATE, Code.REJECTED, http_status=400, zoom_code=300, message="No.", tracking_id="v=2")
    error = zus.Rejected(result)
    assert (error.code, error.zoom_code, error.tracking_id) == (Code.REJECTED, 300, "v=2")
    assert repr(error) == "Rejected('a@x: No. (ZUS_ERR_REJECTED, tracking id v=2)')"


def test_actions_by_name() -> None:
    assert get_args(zus.ActionName) == tuple(map(str, Action))


def test_every_object_has_a_repr(fake_zoom: FakeZoom) -> None:
    fake_zoom.add("ada@example.com")
    cancel = zus.Cancel()
    assert repr(cancel) == "<Cancel>"
    cancel.cancel()
    assert repr(cancel) == "<Cancel cancelled>"
    with fake_zoom.client() as zoom:
        batch = zoom.update_many(["ada@example.com"], "deactivate")
        assert repr(batch) == "<Batch deactivate of 1 users, not started>"
        result = next(batch)
        assert "running" in repr(batch) or "ended" in repr(batch)
        assert list(batch) == [] and repr(batch) == "<Batch deactivate of 1 users, ended ZUS_OK>"
        assert "user_id='ada@example.com'" in repr(result) and repr(zoom) == f"<Client {fake_zoom.api_url} oauth>"
        assert "scopes=" in repr(zoom.check_credentials())
    assert repr(fake_zoom).startswith(f"<FakeZoom {fake_zoom.api_url}, 1 users, ")


def test_worker_threads_have_names(fake_zoom: FakeZoom, caplog: pytest.LogCaptureFixture) -> None:
    """Log lines and debuggers show the name. Log lines also come from the threads of libzus."""
    users = [f"u{n}@example.com" for n in range(20)]
    fake_zoom.add(*users)
    caplog.set_level(logging.DEBUG, "zoom_user_status")
    seen: List[str] = []
    with fake_zoom.client(concurrency=4) as zoom:
        for result in zoom.update_many(users, "deactivate"):
            assert result.ok
            seen += [thread.name for thread in threading.enumerate()]
    assert "zoom_user_status-batch" in seen
    names = {record.threadName or "" for record in caplog.records if "PUT" in record.message}
    assert names and all(name.startswith("zoom_user_status-") for name in names), names
    assert not any(name.startswith("Dummy") for name in seen)


def test_log_lines_name_the_user(fake_zoom: FakeZoom, caplog: pytest.LogCaptureFixture) -> None:
    fake_zoom.add("ada@example.com")
    users = ["ada@example.com", "nobody@example.com"]
    caplog.set_level(logging.INFO, "zoom_user_status")
    with fake_zoom.client() as zoom:
        list(zoom.update_many(users, "deactivate"))
    lines = [record.message for record in caplog.records if "HTTP " in record.message]
    assert len(lines) >= 2 and all(any(user in line for user in users) for line in lines), lines
