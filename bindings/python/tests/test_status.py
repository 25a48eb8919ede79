"""Tests reading users and verifying updates."""

from __future__ import annotations

import json
import pickle
import time
from typing import Callable, List

import pytest
import zoom_user_status as zus
from conftest import Sandbox
from zoom_user_status.testing import FakeZoom


def test_a_user_is_read(sandbox: Sandbox) -> None:
    zoom = sandbox.client()
    admin = zoom.status("admin-of-status@example.com")
    assert (admin.user_id, admin.status, admin.ok) == ("admin-of-status@example.com", zus.Status.ACTIVE, True)
    assert (admin.role, admin.role_id, admin.protected, admin.type) == ("Admin", "1", True, 2)
    assert admin.email == admin.user_id and admin.id and admin.dept and admin.last_login_time.endswith("Z")
    assert admin.data == json.loads(admin.result.body) and admin.data["role_name"] == "Admin"
    assert str(zoom.status("pending@example.com").status) == "pending" and f"{admin.status:>8}" == "  active"
    assert not zoom.status("ada@example.com").protected
    assert pickle.loads(pickle.dumps(admin)) == admin
    assert admin.result.action is None and admin.result.user_status is zus.Status.ACTIVE


def test_a_user_who_cannot_be_read(sandbox: Sandbox) -> None:
    with pytest.raises(zus.UserNotFound) as found:
        sandbox.client().status("nobody@example.com")
    assert found.value.result.delivery is zus.Delivery.RESPONDED and not found.value.result.is_fatal
    with pytest.raises(zus.Forbidden, match="user:read:user:admin") as lacks:
        sandbox.client(token="no-read").status("ada@example.com")
    assert lacks.value.result.is_fatal


def test_many_users_are_read(sandbox: Sandbox) -> None:
    users = ["ada@example.com", "nobody@example.com", "pending-of-many@example.com", " x@example.com", "owner@example.com"]
    found = {one.user_id: one for one in sandbox.client().statuses(users)}
    assert set(found) == set(users)
    assert [one.user_id for one in found.values() if not one] == [one.user_id for one in found.values() if not one.ok]
    assert found["nobody@example.com"].result.code is zus.Code.USER_NOT_FOUND
    assert found[" x@example.com"].result.code is zus.Code.ARGUMENT
    assert found["pending-of-many@example.com"].status is zus.Status.PENDING
    assert found["owner@example.com"].role_id == "0"
    assert found["nobody@example.com"].status is zus.Status.UNKNOWN and found["nobody@example.com"].data == {}
    with pytest.raises(zus.UserNotFound):
        found["nobody@example.com"].raise_for_status()
    assert [one.result.index for one in found.values()] != [0] * len(users)


def test_reading_ends_when_no_user_can_be_read(sandbox: Sandbox) -> None:
    batch = sandbox.client(token="no-read", concurrency=2).statuses(["ada@example.com"] * 50)
    read: List[zus.UserStatus] = []
    with pytest.raises(zus.Forbidden):
        read.extend(batch)
    assert len(read) < 50 and batch.code is zus.Code.FORBIDDEN


def test_updates_are_verified(sandbox: Sandbox) -> None:
    zoom = sandbox.client(verify=5, rate=None)
    assert zoom.deactivate("user00300@example.com").user_status is zus.Status.INACTIVE
    began = time.monotonic()
    late = zoom.deactivate("late-of-verify@example.com")
    assert late.ok and late.user_status is zus.Status.INACTIVE and late.http_status == 204
    assert 0.9 < time.monotonic() - began
    with pytest.raises(zus.NotVerified, match="still pending") as pending:
        zoom.deactivate("pending-of-verify@example.com")
    result = pending.value.result
    assert (result.user_status, result.http_status, result.attempts) == (zus.Status.PENDING, 204, 1)
    assert result.delivery is zus.Delivery.RESPONDED and not result.is_fatal and result.code.transient


def test_a_status_that_never_becomes_the_wanted_one(sandbox: Sandbox) -> None:
    zoom = sandbox.client(verify=0.5)
    with pytest.raises(zus.NotVerified, match="still active"):
        zoom.deactivate("ghost-of-verify@example.com")
    assert sandbox.client().deactivate("ghost-of-verify@example.com").user_status is zus.Status.UNKNOWN


def test_a_batch_is_verified(sandbox: Sandbox) -> None:
    users = [f"user{number:05}@example.com" for number in range(400, 440)]
    users += [f"ghost-{number}@example.com" for number in range(3)] + [f"late-{number}@example.com" for number in range(20)]
    batch = sandbox.client(verify=3, concurrency=4).update_many(users, "deactivate")
    codes = {result.user_id: result.code for result in batch}
    assert set(codes) == set(users) and batch.code is zus.Code.PARTIAL
    assert {user for user, code in codes.items() if code} == {user for user in users if user.startswith("ghost")}
    assert {code for code in codes.values() if code} == {zus.Code.NOT_VERIFIED}


def test_a_missing_read_scope_ends_a_verified_batch_before_the_first_update(new_sandbox: Callable[..., Sandbox]) -> None:
    sandbox = new_sandbox("--users", "10")
    batch = sandbox.client(token="no-read", verify=5).update_many(["user00001@example.com", "user00002@example.com"], "deactivate")
    results: List[zus.Result] = []
    with pytest.raises(zus.Forbidden):
        results.extend(batch)
    assert [(one.index, one.code, one.delivery) for one in results] == [(0, zus.Code.FORBIDDEN, zus.Delivery.NOT_SENT)]
    assert all(user["received"] == 0 for user in sandbox.ledger()["users"].values())


def test_an_attempt_has_its_own_timeout(sandbox: Sandbox) -> None:
    zoom = sandbox.client(attempt_timeout=0.2, retries=1, timeout=20)
    began = time.monotonic()
    with pytest.raises(zus.TimedOut) as late:
        zoom.deactivate("answer-never@example.com")
    assert time.monotonic() - began < 5 and late.value.result.attempts == 2
    assert late.value.result.delivery is zus.Delivery.UNKNOWN


def test_the_fake_zoom_can_be_read(fake_zoom: FakeZoom) -> None:
    fake_zoom.add("ada@example.com", role_id="1", role_name="Admin", dept="Engines")
    fake_zoom.add("grace@example.com", status="pending")
    with fake_zoom.client(verify=5) as zoom:
        ada = zoom.status("ada@example.com")
        assert (ada.dept, ada.protected) == ("Engines", True)
        assert zoom.deactivate("ada@example.com").user_status is zus.Status.INACTIVE
        assert zoom.status("grace@example.com").status is zus.Status.PENDING
