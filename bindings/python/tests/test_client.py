"""Tests calls for one user: results, exceptions, credentials, options."""

from __future__ import annotations

import copy
import dataclasses
import logging
import os
import pickle
import threading
import time
from pathlib import Path
from typing import Any, Dict, List, Type, cast

import pytest
import zoom_user_status as zus
from conftest import Sandbox
from zoom_user_status import Action, ActionName, Client, Code, Result, ZoomUserStatusError


def test_deactivate_and_activate(sandbox: Sandbox) -> None:
    with sandbox.client() as client:
        result = client.deactivate("ada@example.com")
        assert result.ok and result.code is Code.OK and result.http_status == 204 and result.attempts == 1
        assert result.user_id == "ada@example.com" and result.action is Action.DEACTIVATE
        assert result.message == "" and result.zoom_code == 0 and result.retry_after is None
        assert result.tracking_id.startswith("v=2.0;") and result.header("X-Zm-TrackingId") == result.tracking_id
        assert result.header("no-such-header") == "" and result.header("no-such-header", "none") == "none"
        assert result.raise_for_status() is result
        assert sandbox.ledger()["users"]["ada@example.com"]["status"] == "inactive"
        assert client.activate("ada@example.com").ok
        assert sandbox.ledger()["users"]["ada@example.com"]["status"] == "active"


@pytest.mark.parametrize("action", list(Action))
def test_every_action_by_number_and_by_name(sandbox: Sandbox, action: Action) -> None:
    with sandbox.client() as client:
        assert client.update("linus@example.com", action).action is action
        assert client.update("linus@example.com", cast(ActionName, str(action))).action is action
        assert getattr(client, str(action))("linus@example.com").ok


@pytest.mark.parametrize("action", ["delete", "DEACTIVATE", "", 0, 5])
def test_an_unknown_action_is_a_value_error(sandbox: Sandbox, action: Any) -> None:
    with pytest.raises(ValueError):
        sandbox.client().update("ada@example.com", action)


FAILURES = [
    ("nobody@example.com", "deactivate", zus.UserNotFound, 404, 1001),
    ("admin@example.com", "deactivate", zus.UserProtected, 400, 200),
    ("room@example.com", "deactivate", zus.UserProtected, 400, 200),
    ("events@example.com", "deactivate", zus.UserBusy, 400, 300),
    ("seatless@example.com", "activate", zus.UserLimitReached, 400, 3412),
    ("basic@example.com", "activate", zus.UserLimitReached, 400, 2033),
    ("answer-401-124@example.com", "deactivate", zus.Unauthorized, 401, 124),
    ("answer-4711@example.com", "deactivate", zus.Forbidden, 400, 4711),
    ("answer-300@example.com", "deactivate", zus.Rejected, 400, 300),
    ("answer-429-qps@example.com", "deactivate", zus.RateLimited, 429, 429),
    ("answer-429-daily@example.com", "deactivate", zus.DailyLimitReached, 429, 429),
    ("answer-503@example.com", "deactivate", zus.ServerError, 503, 0),
    ("answer-html@example.com", "deactivate", zus.ProtocolError, 200, 0),
    ("answer-redirect@example.com", "deactivate", zus.ProtocolError, 302, 0),
    ("answer-200-code@example.com", "deactivate", zus.UserNotFound, 200, 1001),
]


@pytest.mark.parametrize("user, action, error, http_status, zoom_code", FAILURES)
def test_failures_are_exceptions_with_the_result(
    sandbox: Sandbox,
    user: str,
    action: str,
    error: Type[ZoomUserStatusError],
    http_status: int,
    zoom_code: int,
) -> None:
    with sandbox.client() as client, pytest.raises(error) as raised:
        client.update(user, Action.of(action))
    result = raised.value.result
    assert type(raised.value) is error
    assert not result.ok and result.user_id == user
    assert result.http_status == http_status
    if zoom_code:
        assert result.zoom_code in (zoom_code, 0) if "4711" in user else result.zoom_code == zoom_code
    assert result.message and result.message in str(raised.value)
    assert result.code.symbol in str(raised.value) and user in str(raised.value)
    with pytest.raises(error):
        result.raise_for_status()


def test_the_daily_limit_says_when(sandbox: Sandbox) -> None:
    with pytest.raises(zus.DailyLimitReached) as raised:
        sandbox.client().deactivate("answer-429-daily@example.com")
    assert raised.value.result.retry_after is not None and raised.value.result.retry_after > 0
    assert isinstance(raised.value, zus.RateLimited)


def test_a_closed_port_is_a_connect_error() -> None:
    client = Client("t", base_url="http://127.0.0.1:9/v2", retries=0, proxy="")
    with pytest.raises(zus.ConnectError) as raised:
        client.deactivate("ada@example.com")
    assert isinstance(raised.value, zus.NetworkError) and raised.value.result.http_status == 0


def test_timeout(sandbox: Sandbox) -> None:
    began = time.monotonic()
    with pytest.raises(TimeoutError) as raised:
        sandbox.client(timeout=0.3, retries=0).deactivate("answer-never@example.com")
    assert isinstance(raised.value, zus.TimedOut) and 0.25 < time.monotonic() - began < 5


@pytest.mark.parametrize("user", ["", " ada@example.com", "ada@example.com ", ".", "..", "a\nb", "a\0b", "\ud800"])
def test_user_ids_that_are_not_allowed(sandbox: Sandbox, user: str) -> None:
    before = sandbox.ledger()["requests"]
    with pytest.raises(zus.InvalidArgument) as raised:
        sandbox.client().deactivate(user)
    assert isinstance(raised.value, ValueError) and raised.value.result.attempts == 0
    assert sandbox.ledger()["requests"] == before


@pytest.mark.parametrize("user", [None, b"ada@example.com", 7])
def test_an_id_is_a_str(sandbox: Sandbox, user: Any) -> None:
    with pytest.raises(TypeError):
        sandbox.client().deactivate(user)


def test_retries(sandbox: Sandbox) -> None:
    assert sandbox.client().deactivate("answer-503-then-ok-2@example.com").attempts == 3
    with pytest.raises(zus.ServerError) as raised:
        sandbox.client(retries=0).deactivate("answer-503@example.com")
    assert raised.value.result.attempts == 1


def test_oauth_obtains_and_refreshes_a_token(sandbox: Sandbox) -> None:
    with sandbox.client(**sandbox.oauth) as client:
        before = sandbox.ledger()["token_requests"]
        client.deactivate("ada@example.com")
        client.activate("ada@example.com")
        assert sandbox.ledger()["token_requests"] == before + 1
        sandbox.expire_tokens()
        assert client.deactivate("ada@example.com").ok
        assert sandbox.ledger()["token_requests"] == before + 2


def test_wrong_oauth_credentials(sandbox: Sandbox) -> None:
    client = sandbox.client(**{**sandbox.oauth, "client_secret": "not-the-secret"})
    with pytest.raises(zus.TokenError) as raised:
        client.deactivate("ada@example.com")
    assert "not-the-secret" not in str(raised.value)
    with pytest.raises(zus.TokenError):
        client.check_credentials()


def test_check_credentials(sandbox: Sandbox) -> None:
    before = sandbox.ledger()["requests"]
    found = sandbox.client(**sandbox.oauth).check_credentials()
    assert found.kind == "oauth" and found.token_type == "bearer" and any("user" in s for s in found.scopes)
    assert found.expires_in is not None and 0 < found.expires_in <= 3600
    assert sandbox.client().check_credentials() == zus.Credentials("token")
    assert sandbox.ledger()["requests"] == before


def test_token_provider(sandbox: Sandbox) -> None:
    asked: List[bool] = []

    def provider(rejected: bool) -> str:
        asked.append(rejected)
        return "sandbox-token" if rejected else "expired"

    client = sandbox.client(token_provider=provider)
    assert client.deactivate("ada@example.com").ok
    assert asked == [False, True]


def test_a_provider_may_return_a_long_token(sandbox: Sandbox) -> None:
    calls = 0

    def provider(rejected: bool) -> str:
        nonlocal calls
        calls += 1
        return "sandbox-token" if rejected else "x" * 8000

    assert sandbox.client(token_provider=provider).deactivate("ada@example.com").ok
    assert calls == 2  # the larger buffer got the same token
    with pytest.raises(zus.InvalidArgument, match="8192"):
        sandbox.client(token_provider=lambda rejected: "x" * 9000).deactivate("ada@example.com")


class Mine(Exception):
    pass


@pytest.mark.parametrize("error", [Mine("no"), KeyboardInterrupt(), SystemExit(3)])
def test_a_providers_exception_is_raised(sandbox: Sandbox, error: BaseException) -> None:
    def provider(rejected: bool) -> str:
        raise error

    client = sandbox.client(token_provider=provider)
    before = sandbox.ledger()["requests"]
    with pytest.raises(type(error)) as raised:
        client.deactivate("ada@example.com")
    assert raised.value is error
    with pytest.raises(type(error)):
        client.check_credentials()
    assert sandbox.ledger()["requests"] == before


def test_a_provider_that_returns_no_str_raises_a_type_error(sandbox: Sandbox) -> None:
    provider: Any = lambda rejected: None  # noqa: E731
    with pytest.raises(TypeError):
        sandbox.client(token_provider=provider).deactivate("ada@example.com")


def test_a_provider_cannot_call_its_own_client(sandbox: Sandbox) -> None:
    client: Client

    def provider(rejected: bool) -> str:
        client.deactivate("ada@example.com")
        return "sandbox-token"

    client = sandbox.client(token_provider=provider)
    with pytest.raises(zus.ReentrantError):
        client.deactivate("ada@example.com")


def test_a_provider_may_call_another_client(sandbox: Sandbox) -> None:
    other = sandbox.client()

    def provider(rejected: bool) -> str:
        other.activate("grace@example.com")
        return "sandbox-token"

    assert sandbox.client(token_provider=provider).deactivate("ada@example.com").ok


def test_from_env(sandbox: Sandbox) -> None:
    with Client.from_env(sandbox.env) as client:
        assert client.deactivate("ada@example.com").ok and "token" in repr(client)
    oauth = {name: value for name, value in sandbox.env.items() if name != "ZOOM_ACCESS_TOKEN"}
    with zus.from_env(oauth, retries=1, rate=None) as client:
        assert client.activate("ada@example.com").ok and "oauth" in repr(client)


def test_from_env_names_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("ZOOM_"):
            monkeypatch.delenv(name)
    with pytest.raises(zus.CredentialsMissing, match="ZOOM_ACCESS_TOKEN or ZOOM_ACCOUNT_ID"):
        Client.from_env()
    monkeypatch.setenv("ZOOM_ACCOUNT_ID", "a")
    monkeypatch.setenv("ZOOM_CLIENT_SECRET", "very-secret")
    with pytest.raises(zus.CredentialsMissing, match="ZOOM_CLIENT_ID") as raised:
        Client.from_env()
    assert "very-secret" not in str(raised.value)


@pytest.mark.parametrize(
    "options, error",
    [
        ({}, zus.CredentialsMissing),
        ({"account_id": "a", "client_id": "b"}, zus.CredentialsMissing),
        ({"token": "a", "account_id": "a"}, zus.InvalidArgument),
        ({"token": ""}, zus.InvalidArgument),
        ({"token": "a\r\nb"}, zus.InvalidArgument),
        ({"token": "a\0b"}, zus.InvalidArgument),
        ({"token": "t", "base_url": "http://example.com/v2"}, zus.InvalidArgument),
        ({"token": "t", "base_url": "nonsense"}, zus.InvalidArgument),
        ({"token": "t", "timeout": -1}, zus.InvalidArgument),
        ({"token": "t", "timeout": float("nan")}, zus.InvalidArgument),
        ({"token": "t", "timeout": float("inf")}, zus.InvalidArgument),
        ({"token": "t", "timeout": 1e9}, zus.InvalidArgument),
        ({"token": "t", "retries": -1 - 2**32}, zus.InvalidArgument),
        ({"token": "t", "rate": -1}, zus.InvalidArgument),
        ({"token": "t", "rate": 1e9}, zus.InvalidArgument),
        ({"token": "t", "concurrency": 0}, zus.InvalidArgument),
        ({"token": "t", "encoding": "xml"}, zus.InvalidArgument),
        ({"token": "t", "proxy": "not a proxy"}, zus.InvalidArgument),
        ({"token": "t", "user_agent": "a\nb"}, zus.InvalidArgument),
        ({"token": 5}, TypeError),
        ({"token": "t", "timeout": "5"}, TypeError),
        ({"token": "t", "ca_file": "/no/such/file.pem"}, FileNotFoundError),
    ],
)
def test_wrong_options(options: Dict[str, Any], error: Type[Exception]) -> None:
    with pytest.raises(error):
        Client(**options)


@pytest.mark.parametrize(
    "options, error, says",
    [
        ({"timeout": None}, TypeError, "timeout must be a number of seconds or a pair"),
        ({"timeout": (1, 2, 3)}, TypeError, "timeout must be"),
        ({"timeout": (1, "2")}, TypeError, "timeout must be"),
        ({"backoff": 5}, TypeError, "backoff must be a pair"),
        ({"retries": "3"}, TypeError, "retries must be a whole number, not str"),
        ({"retries": 1.5}, TypeError, "retries must be a whole number, not float"),
        ({"concurrency": None}, TypeError, "concurrency must be a whole number, not NoneType"),
        ({"rate": "5"}, TypeError, "rate must be a number of requests a second, not str"),
        ({"token": None, "token_provider": "t"}, TypeError, "token_provider must be a function, not str"),
        ({"timeout": -1}, ValueError, "timeout must be from 0.001 to 86400 seconds, not -1 "),
        ({"timeout": (5, 0)}, ValueError, "timeout must be from 0.001 to 86400 seconds, not 0 "),
        ({"backoff": (2, 1)}, ValueError, "backoff must be two times .* the shorter one first"),
        ({"retries": -1}, ValueError, "retries must be from 0 to 99, not -1"),
        ({"retries": 100}, ValueError, "retries must be from 0 to 99"),
        ({"concurrency": 257}, ValueError, "concurrency must be from 1 to 256"),
        ({"rate": 1e-300}, ValueError, "rate must be .* at least one a day"),
        ({"base_url": "http://example.com"}, ValueError, "base_url must be .*ZOOM_API_URL.*loopback"),
        ({"oauth_url": "zoom.us"}, ValueError, "oauth_url must be .*ZOOM_OAUTH_URL.*https://"),
        ({"token": "Bearer abc"}, ValueError, 'token must be .*ZOOM_ACCESS_TOKEN.*without "Bearer "'),
        ({"proxy": "proxy:secret@"}, ValueError, "proxy must be .*socks5://"),
    ],
)
def test_the_message_names_the_option_and_what_it_must_be(
    options: Dict[str, Any], error: Type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says) as raised:
        Client(**{"token": "t", **options})
    assert "abc" not in str(raised.value) and "secret" not in str(raised.value)


def test_a_wrong_proxy_of_the_environment_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://user:secret@not a proxy")
    with pytest.raises(zus.InvalidArgument, match="HTTPS_PROXY.*socks5://") as raised:
        Client("t")
    assert "secret" not in str(raised.value)


def test_a_cancel_of_another_kind_is_a_type_error(sandbox: Sandbox) -> None:
    event: Any = threading.Event()
    client = sandbox.client()
    for call in (
        lambda: client.activate("ada@example.com", cancel=event),
        lambda: client.update_many(["ada@example.com"], "activate", cancel=event),
    ):
        with pytest.raises(TypeError, match="cancel must be a Cancel of zoom_user_status, not Event"):
            call()


def test_a_ca_file_without_certificates(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    path.write_text("nothing")
    with pytest.raises(zus.InvalidArgument, match="ca_file"):
        Client("t", ca_file=path)


@pytest.mark.parametrize(
    "rate, expected",
    [(None, (0, 1000)), (0, (0, 1000)), (30, (30, 1000)), (2.5, (5, 2000)), (0.5, (1, 2000)), (80.0, (80, 1000))],
)
def test_rates(rate: Any, expected: Any) -> None:
    from zoom_user_status._options import to_rate

    assert to_rate(rate) == expected


def test_the_rate_limit_holds(sandbox: Sandbox) -> None:
    client = sandbox.client(rate=10)
    began = time.monotonic()
    for _ in range(21):
        client.deactivate("ada@example.com")
    assert 0.9 < time.monotonic() - began < 4


def test_no_secret_is_shown(sandbox: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "zoom_user_status")
    client = sandbox.client(**sandbox.oauth)
    client.deactivate("ada@example.com")
    shown = repr(client) + str(vars(client)) + caplog.text
    assert "sandbox-secret" not in shown and "Bearer" not in shown
    assert repr(Client("tok-secret", base_url="https://api.zoom.us/v2")) == "<Client https://api.zoom.us/v2 token>"


def test_log_lines_go_to_logging(sandbox: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "zoom_user_status")
    sandbox.client().deactivate("ada@example.com")
    assert caplog.records and all(record.name == "zoom_user_status" for record in caplog.records)
    caplog.clear()
    caplog.set_level(logging.DEBUG, "mine")
    sandbox.client(logger="mine").deactivate("ada@example.com")
    assert caplog.records and all(record.name == "mine" for record in caplog.records)


def test_a_log_handlers_exception_is_raised(sandbox: Sandbox) -> None:
    class Handler(logging.Handler):
        def handle(self, record: logging.LogRecord) -> bool:
            raise Mine("log")

    log = logging.Logger("raises", logging.DEBUG)
    log.addHandler(Handler())
    with pytest.raises(Mine):
        sandbox.client(logger=log).deactivate("ada@example.com")


def test_close(sandbox: Sandbox) -> None:
    client = sandbox.client()
    client.close()
    client.close()
    assert "closed" in repr(client)
    with pytest.raises(RuntimeError, match="closed"):
        client.deactivate("ada@example.com")
    with pytest.raises(RuntimeError, match="closed"), client:
        pass


def test_close_while_another_thread_calls(sandbox: Sandbox) -> None:
    client = sandbox.client()
    found: List[Result] = []
    thread = threading.Thread(target=lambda: found.append(client.deactivate("answer-slow-300@example.com")))
    thread.start()
    time.sleep(0.1)
    client.close()
    thread.join()
    assert found[0].ok


def test_cancel_from_another_thread(sandbox: Sandbox) -> None:
    cancel = zus.Cancel()
    threading.Timer(0.2, cancel.cancel).start()
    began = time.monotonic()
    client = sandbox.client()
    with pytest.raises(zus.Cancelled):
        client.deactivate("answer-never@example.com", cancel=cancel)
    assert time.monotonic() - began < 10 and cancel.cancelled
    with pytest.raises(zus.Cancelled):
        client.deactivate("ada@example.com", cancel=cancel)
    assert client.deactivate("ada@example.com").ok


@pytest.mark.parametrize("way", [copy.copy, copy.deepcopy, pickle.dumps])
def test_a_cancel_cannot_be_copied(way: Any) -> None:
    with pytest.raises(TypeError, match="Cancel can't be copied"):
        way(zus.Cancel())


def test_results_are_plain_data(sandbox: Sandbox) -> None:
    result = sandbox.client().deactivate("ada@example.com")
    with pytest.raises(AttributeError):
        result.code = Code.IO  # type: ignore[misc]
    again = pickle.loads(pickle.dumps(result))
    assert again == result and hash(again) == hash(result)
    assert again.header("x-zm-trackingid") == result.tracking_id
    assert copy.deepcopy(result) == result
    assert result.tracking_id in repr(result)
    fields = dataclasses.asdict(result)
    assert fields["http_status"] == 204 and not [name for name in fields if name.startswith("_")]
    with pytest.raises(zus.UserNotFound) as raised:
        sandbox.client().deactivate("nobody@example.com")
    error = pickle.loads(pickle.dumps(raised.value))
    assert type(error) is zus.UserNotFound and error.result == raised.value.result and str(error) == str(raised.value)
    with pytest.raises(TypeError):
        pickle.dumps(sandbox.client())


def test_the_body_is_bytes(sandbox: Sandbox) -> None:
    with pytest.raises(zus.UserNotFound) as raised:
        sandbox.client().deactivate("nobody@example.com")
    assert b"1001" in raised.value.result.body


def test_codes_and_actions_know_their_names() -> None:
    assert Code.USER_NOT_FOUND.symbol == "ZUS_ERR_USER_NOT_FOUND" and Code.OK.symbol == "ZUS_OK"
    assert Code(12345).symbol == "ZUS_ERR_UNKNOWN" and Code(12345) == 12345
    assert [str(a) for a in Action] == ["activate", "deactivate", "clock_in", "clock_out"]
    assert f"{Action.DEACTIVATE:>12}" == "  deactivate"
