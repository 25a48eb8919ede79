"""Tests batches of a Client."""

from __future__ import annotations

import copy
import gc
import inspect
import logging
import sys
import threading
import time
from types import CodeType, FrameType
from typing import Any, Callable, List

import pytest
import zoom_user_status as zus
from conftest import Sandbox, received
from zoom_user_status import Action, Batch, Code, Result

USERS = [f"user{n:05}@example.com" for n in range(1, 601)]


def test_each_user_once_with_its_index(sandbox: Sandbox) -> None:
    users = [*USERS[:100], "nobody@example.com", "admin@example.com", "", " padded@example.com", "a\0b", "\ud800"]
    with sandbox.client() as client:
        results = list(client.update_many(users, "deactivate"))
    assert sorted(result.index for result in results) == list(range(len(users)))
    assert all(result.user_id == users[result.index] for result in results)
    codes = {result.user_id: result.code for result in results if not result.ok}
    assert codes == {
        "nobody@example.com": Code.USER_NOT_FOUND,
        "admin@example.com": Code.USER_PROTECTED,
        "": Code.ARGUMENT,
        " padded@example.com": Code.ARGUMENT,
        "a\0b": Code.ARGUMENT,
        "\ud800": Code.UTF8,
    }
    assert all(result.header("x-zm-trackingid") == result.tracking_id for result in results)
    assert all(result.tracking_id for result in results if result.attempts)
    ledger = sandbox.ledger()["users"]
    assert all(ledger[user]["status"] == "inactive" for user in USERS[:100])


def test_users_are_sent_in_parallel(sandbox: Sandbox) -> None:
    client = sandbox.client(concurrency=16)
    users = ["answer-slow-200@example.com"] * 32
    began = time.monotonic()
    assert sum(result.ok for result in client.update_many(users, Action.ACTIVATE)) == 32
    assert time.monotonic() - began < 5  # one after another they would take 6.4


def test_an_interrupt_at_any_line_loses_no_result(new_sandbox: Callable[..., Sandbox]) -> None:
    sandbox = new_sandbox("--users", "600", "--delay", "200")
    client = sandbox.client(concurrency=8)
    code = Batch.__next__.__code__
    source, first = inspect.getsourcelines(Batch.__next__)
    bare = [line.strip() for line in source]
    places = range(first + bare.index("try:") + 1, first + bare.index("except BaseException:"))
    for number, place in enumerate(places):
        users = USERS[number * 40 : number * 40 + 40]
        batch = client.update_many(users, "deactivate")
        results = [] if "_start()" in bare[place - first] else [next(batch)]
        interrupted = raise_once_at(code, place, lambda: results.extend(batch))  # noqa: B023
        results += batch
        what = bare[place - first]
        assert interrupted, what
        assert len({result.index for result in results}) == len(results), what
        sent = set(sandbox.ledger()["users"]) & set(users)
        assert sent <= {result.user_id for result in results}, what
        assert (len(results) < 40, batch.code) == ((False, Code.OK) if "_end()" in what else (True, Code.CANCELLED)), what


def raise_once_at(code: CodeType, line: int, act: Callable[[], object]) -> bool:
    """Runs ``act`` and raises KeyboardInterrupt before the line of ``code``. Returns whether ``act`` reached the line."""

    def trace(frame: FrameType, event: str, _arg: object) -> Any:
        if frame.f_code is code:
            return in_code
        return None

    def in_code(frame: FrameType, event: str, _arg: object) -> Any:
        if event == "line" and frame.f_lineno == line:
            raise KeyboardInterrupt
        return in_code

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        act()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    return False


def test_users_may_be_any_iterable_or_empty(sandbox: Sandbox) -> None:
    client = sandbox.client()
    assert {r.user_id for r in client.update_many((u for u in USERS[:3]), "activate")} == set(USERS[:3])
    batch = client.update_many([], "activate")
    assert list(batch) == [] and batch.code is Code.OK


@pytest.mark.parametrize("users", ["ada@example.com", b"ada@example.com", [None], ["a", 5]])
def test_users_of_a_wrong_type_raise_a_type_error(sandbox: Sandbox, users: Any) -> None:
    with pytest.raises(TypeError):
        sandbox.client().update_many(users, "activate")


def test_nothing_is_sent_before_the_first_result_is_asked_for(new_sandbox: Callable[..., Sandbox]) -> None:
    sandbox = new_sandbox("--users", "10")
    client = sandbox.client()
    batch = client.update_many(USERS[:10], "deactivate")
    time.sleep(0.1)
    batch.close()
    assert list(batch) == [] and sandbox.ledger()["requests"] == 0


@pytest.mark.parametrize("way", ["stop", "cancel()", "close", "with", "cancel"])
def test_stopping_loses_no_result(new_sandbox: Callable[..., Sandbox], way: str) -> None:
    sandbox = new_sandbox("--users", "600", "--delay", "30")
    client = sandbox.client(concurrency=8)
    cancel = zus.Cancel()
    batch = client.update_many(USERS, "deactivate", cancel=cancel)
    results: List[Result] = [next(batch) for _ in range(20)]
    began = time.monotonic()
    if way == "stop":
        batch.stop()
    elif way == "cancel()":
        batch.cancel()
    elif way == "close":
        batch.close()
    elif way == "cancel":
        cancel.cancel()
    else:
        with batch:
            pass
    results += batch
    assert time.monotonic() - began < 5
    assert batch.code is Code.CANCELLED and list(batch) == []
    assert len({result.index for result in results}) == len(results) < 200
    if way == "stop":
        assert all(result.ok for result in results), "the users in flight finish"
    # Each user whom the sandbox received has a result, and each update that succeeded was applied.
    ledger = sandbox.ledger()["users"]
    sent = {result.user_id for result in results}
    assert set(ledger) <= sent
    assert all(ledger[result.user_id]["status"] == "inactive" for result in results if result.ok)


@pytest.mark.parametrize("way", ["stop", "cancel", "close", "with"])
def test_ending_a_batch_does_not_trigger_the_cancel_of_the_batch(sandbox: Sandbox, way: str) -> None:
    client = sandbox.client()
    cancel = zus.Cancel()
    batch = client.update_many(USERS, "activate", cancel=cancel)
    next(batch)
    if way == "with":
        with batch:
            pass
    else:
        getattr(batch, way)()
    list(batch)
    assert not cancel.cancelled and client.activate("ada@example.com", cancel=cancel).ok


@pytest.mark.parametrize("many", [True, False])
def test_a_providers_exception_does_not_trigger_the_cancel(sandbox: Sandbox, many: bool) -> None:
    def provider(rejected: bool) -> str:
        raise Mine

    cancel = zus.Cancel()
    client = sandbox.client(token_provider=provider)
    with pytest.raises(Mine):
        if many:
            list(client.update_many(USERS, "activate", cancel=cancel))
        else:
            client.activate("ada@example.com", cancel=cancel)
    assert not cancel.cancelled and sandbox.client().activate("ada@example.com", cancel=cancel).ok


def test_a_cancel_ends_all_batches_that_use_it(new_sandbox: Callable[..., Sandbox]) -> None:
    sandbox = new_sandbox()
    client = sandbox.client(timeout=20)
    cancel = zus.Cancel()
    batches = [
        client.update_many(["ada@example.com", "answer-never@example.com"], "activate", cancel=cancel) for _ in range(2)
    ]
    for batch in batches:
        assert next(batch).ok
    received(sandbox, "answer-never@example.com", len(batches))
    cancel.cancel()
    for batch in batches:
        assert [result.code for result in batch] == [Code.CANCELLED] and batch.code is Code.CANCELLED


def test_a_batch_cannot_be_copied(sandbox: Sandbox) -> None:
    with sandbox.client().update_many(USERS, "activate") as batch:
        next(batch)
        with pytest.raises(TypeError, match="copied"):
            copy.deepcopy(batch)
        assert next(batch).ok


def test_freeing_the_iterator_stops_the_batch(new_sandbox: Callable[..., Sandbox]) -> None:
    sandbox = new_sandbox("--users", "600", "--delay", "20")
    client = sandbox.client(concurrency=4)
    for _result in client.update_many(USERS, "deactivate"):
        break
    gc.collect()
    time.sleep(0.3)
    before = sandbox.ledger()["requests"]
    time.sleep(0.2)
    assert sandbox.ledger()["requests"] == before < 100


def test_a_batch_sends_slowly_for_a_slow_reader(new_sandbox: Callable[..., Sandbox]) -> None:
    sandbox = new_sandbox("--users", "600")
    batch = sandbox.client(concurrency=4).update_many(USERS, "deactivate")
    next(batch)
    time.sleep(1)
    assert sandbox.ledger()["requests"] < 400
    assert len(list(batch)) == 599


def test_a_failure_that_is_fatal_ends_the_batch(sandbox: Sandbox) -> None:
    client = sandbox.client(token="expired", concurrency=4)
    batch = client.update_many(USERS, "deactivate")
    results: List[Result] = []
    with pytest.raises(zus.Unauthorized) as raised:
        for result in batch:
            results.append(result)
    assert 0 < len(results) < 100 and all(result.code is Code.UNAUTHORIZED for result in results)
    assert raised.value.result.http_status == 401 and batch.code is Code.UNAUTHORIZED
    assert list(batch) == []


def test_a_missing_token_ends_the_batch(sandbox: Sandbox) -> None:
    client = sandbox.client(**{**sandbox.oauth, "client_secret": "wrong"})
    with pytest.raises(zus.TokenError):
        list(client.update_many(USERS, "deactivate"))


class Mine(Exception):
    pass


def test_a_providers_exception_ends_the_batch_and_is_raised(sandbox: Sandbox) -> None:
    error = Mine()

    def provider(rejected: bool) -> str:
        raise error

    before = sandbox.ledger()["requests"]
    with pytest.raises(Mine) as raised:
        list(sandbox.client(token_provider=provider).update_many(USERS, "deactivate"))
    assert raised.value is error and sandbox.ledger()["requests"] == before


def test_a_log_handlers_exception_ends_the_batch_and_is_raised(sandbox: Sandbox) -> None:
    class Handler(logging.Handler):
        def handle(self, record: logging.LogRecord) -> bool:
            raise Mine

    log = logging.Logger("raises", logging.DEBUG)
    log.addHandler(Handler())
    results: List[Result] = []
    with pytest.raises(Mine):
        for result in sandbox.client(logger=log).update_many(USERS, "deactivate"):
            results.append(result)
    assert len(results) < 100


def test_a_provider_cannot_start_a_batch_of_its_own_client(sandbox: Sandbox) -> None:
    def provider(rejected: bool) -> str:
        return str(list(client.update_many(USERS[:2], "activate")))

    client = sandbox.client(token_provider=provider)
    with pytest.raises(zus.ReentrantError):
        client.deactivate("ada@example.com")


def test_the_token_is_refreshed_during_a_batch(new_sandbox: Callable[..., Sandbox]) -> None:
    sandbox = new_sandbox("--users", "600")
    client = sandbox.client(**sandbox.oauth)
    seen = 0
    for result in client.update_many(USERS, "deactivate"):
        assert result.ok, result
        seen += 1
        if seen in (100, 300):
            sandbox.expire_tokens()
    ledger = sandbox.ledger()
    assert seen == 600 and 2 <= ledger["token_requests"] <= 4
    assert all(user["status"] == "inactive" for user in ledger["users"].values())


def test_two_batches_and_single_calls_on_one_client(sandbox: Sandbox) -> None:
    client = sandbox.client()
    counts: List[int] = []

    def run(part: List[str]) -> None:
        counts.append(sum(result.ok for result in client.update_many(part, "activate")))

    threads = [threading.Thread(target=run, args=(USERS[i::3],)) for i in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(20):
        assert client.activate("ada@example.com").ok
    for thread in threads:
        thread.join()
    assert counts == [200] * 3


def test_a_batch_goes_on_without_the_client_variable(sandbox: Sandbox) -> None:
    with sandbox.client() as client:
        batch = client.update_many(USERS, "activate")
        next(batch)
    del client
    gc.collect()
    assert len(list(batch)) == 599


def test_a_cancel_is_quick_when_no_response_comes(sandbox: Sandbox) -> None:
    batch = sandbox.client(concurrency=4).update_many(["answer-never@example.com"] * 20, "activate")
    threading.Timer(0.3, batch.cancel).start()
    began = time.monotonic()
    results = list(batch)
    assert time.monotonic() - began < 10
    assert len(results) == 4 and all(result.code is Code.CANCELLED for result in results)
