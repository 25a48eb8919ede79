"""Holds the client whose calls block."""

from __future__ import annotations

import ctypes
import logging
from types import TracebackType
from typing import Any, Callable, Iterable, List, Optional, Type, TypeVar

from . import _native as native
from ._base import BaseClient, Put, users_of
from ._batch import Batch
from ._calls import Cancel, Hooks, Send, callback, calling_back, name_this_thread, perform
from ._codes import Action, ActionLike, Code
from ._errors import error_for
from ._options import LEVELS, TOKEN_MOST, to_bytes, usage_error
from ._result import Credentials, Result, UserStatus
from ._typing import Self

T = TypeVar("T")
TokenProvider = Callable[[bool], str]
"""Returns an access token. The argument is True when Zoom rejected the last token."""


class Client(BaseClient[TokenProvider]):
    """Activates, deactivates and reads the users of one Zoom account.

    Pass one kind of credentials. ``token`` is a static token. ``account_id``, ``client_id`` and ``client_secret`` belong to a
    Server-to-Server OAuth app: the client obtains its access tokens and refreshes them. ``token_provider`` is a function that returns an
    access token; the client calls it with ``True`` when Zoom rejected the last token. The Python object keeps no credentials.

    Many threads may use one client at once, and they should: they share its connections, its token and its rate limit. Making a client
    sends nothing. After a fork, the calls of the child process raise ``ForkedError``.

    Args:
        base_url: the URL of the API. It must be https, except on loopback.
        oauth_url: the URL from which OAuth credentials obtain a token.
        timeout: the seconds for a whole update with its retries and waits. Or a pair: the seconds to connect, and for the whole update.
        attempt_timeout: the seconds for one attempt. An attempt that takes longer is retried. ``None`` stands for the seconds of the
            whole update divided by the number of attempts, but for at least 10.
        retries: how many times a request is retried where that is safe and useful. 0 means no retry.
        backoff: the longest wait before the first retry, and before any retry, in seconds.
        rate: requests a second of the whole client. ``None`` or 0 means no rate limit. Zoom allows 4 (Free), 30 (Pro), 80 (Business).
        concurrency: the users in flight in ``update_many`` and ``statuses``; in an ``AsyncClient``, the calls in flight.
        verify: after Zoom accepted an activation or deactivation, the client reads the user until the status is the wanted one. If this
            takes longer than ``verify`` seconds, the call raises ``NotVerified``. It costs at least one more request for each user, and
            needs the scope ``user:read:user:admin``. 0 means that updates are not verified.
        proxy: the URL of the proxy. ``""`` means no proxy. ``None`` means the proxy that the environment names.
        ca_file: a PEM file with CA certificates. The client trusts only these. ``None`` means the operating system's trust store.
        encoding: ``"form"`` sends the action as form data; if Zoom does not understand that, the client goes on with JSON. ``"json"``
            sends JSON at once.
        logger: the logger for log lines, by default ``logging.getLogger("zoom_user_status")``. The client writes the lines of the level
            that the logger has now, and warnings in any case.

    Raises:
        CredentialsMissing: there are no credentials, or only a part of them.
        InvalidArgument: a value is not allowed.
    """

    _hooks: Hooks

    def _listen(self, put: Put, provider: Optional[TokenProvider], log: logging.Logger, level: int) -> List[Any]:
        self._hooks = Hooks()
        write = native.LOG_FN(self._callback(_log_writer(log), None))
        put("logger", native.config_set_log, level, write, None)
        if provider is None:
            return [write]
        provide = native.TOKEN_PROVIDER_FN(self._callback(_token_writer(provider), 0))
        put("token_provider", native.config_set_token_provider, provide, None)
        return [write, provide]

    def _callback(self, function: Callable[..., Any], failed: Any) -> Callable[..., Any]:
        made = callback(self._hooks, function, failed)
        self._hooks.callbacks.append(made)
        return made

    def update(self, user_id: str, action: ActionLike, *, cancel: Optional[Cancel] = None) -> Result:
        """Sends one action for one user, and waits for Zoom's response.

        Args:
            user_id: Zoom's ID of the user, or the e-mail address, without leading or trailing whitespace.
            action: an ``Action`` or its name: activate, deactivate, clock_in, clock_out.
            cancel: a ``Cancel`` that can end the call from another thread.

        Raises:
            UserNotFound, UserProtected, RateLimited, Unauthorized, ...: the update failed. The exception is a ``ZoomUserStatusError``;
                its ``result`` has Zoom's code, message and tracking ID.
            KeyboardInterrupt: on Ctrl-C, at once. The update may have been applied; it is safe to send it again.
        """
        wanted = Action.of(action)
        client = self._open()
        user = to_bytes("user_id", user_id)

        def send(canceller: native.Canceller, out: native.ResultHandle) -> int:
            code: int = native.update_status(client.value, user, wanted, canceller, out)
            return code

        return self._wait(user_id, wanted, send, cancel)

    def activate(self, user_id: str, *, cancel: Optional[Cancel] = None) -> Result:
        """Activates a user, who can then log in again. Zoom does not give the user's licenses back."""
        return self.update(user_id, Action.ACTIVATE, cancel=cancel)

    def deactivate(self, user_id: str, *, cancel: Optional[Cancel] = None) -> Result:
        """Deactivates a user. Zoom removes all licenses of the user, who can no longer log in."""
        return self.update(user_id, Action.DEACTIVATE, cancel=cancel)

    def clock_in(self, user_id: str, *, cancel: Optional[Cancel] = None) -> Result:
        """Clocks a user in."""
        return self.update(user_id, Action.CLOCK_IN, cancel=cancel)

    def clock_out(self, user_id: str, *, cancel: Optional[Cancel] = None) -> Result:
        """Clocks a user out."""
        return self.update(user_id, Action.CLOCK_OUT, cancel=cancel)

    def status(self, user_id: str, *, cancel: Optional[Cancel] = None) -> UserStatus:
        """Reads one user: the status (active, inactive or pending), the role, the last login. This needs the scope
        ``user:read:user:admin``, or the classic scope ``user:read:admin`` or ``user:write:admin``.

        Raises:
            UserNotFound, Forbidden, ...: the user could not be read. The exceptions are those of ``update``.
        """
        client = self._open()
        user = to_bytes("user_id", user_id)

        def send(canceller: native.Canceller, out: native.ResultHandle) -> int:
            code: int = native.get_user_status(client.value, user, canceller, out)
            return code

        return UserStatus.of(self._wait(user_id, None, send, cancel))

    def update_many(self, user_ids: Iterable[str], action: ActionLike, *, cancel: Optional[Cancel] = None) -> Batch[Result]:
        """Sends one action for many users, ``concurrency`` at a time and within the rate limit. Returns an iterator over their results, in
        the order in which the users end. A user's failure is a result like any other. A user ID that is in the list twice is sent twice.

        The batch sends nothing before you ask for the first result. ``Batch`` explains how to stop it early.
        """
        return self._batch(user_ids, Action.of(action), _unchanged, cancel)

    def statuses(self, user_ids: Iterable[str], *, cancel: Optional[Cancel] = None) -> Batch[UserStatus]:
        """Reads many users, in the same way as ``update_many`` updates them. For a user who can't be read, ``ok`` is false and ``result``
        has the reason.
        """
        return self._batch(user_ids, None, UserStatus.of, cancel)

    def check_credentials(self, *, cancel: Optional[Cancel] = None) -> Credentials:
        """Obtains a token with OAuth credentials, without touching a user. It can't check a static token or the token of a provider: in
        these cases it sends nothing and returns only the kind of the credentials.

        Raises:
            TokenError: no token could be obtained with these credentials; the message says why.
        """
        client = self._open()

        def send(canceller: native.Canceller, out: native.ResultHandle) -> int:
            code: int = native.check_credentials(client.value, canceller, out)
            return code

        return Credentials.parse(self._kind, self._wait("", None, send, cancel).body)

    def _wait(self, user_id: str, action: Optional[Action], send: Send, cancel: Optional[Cancel]) -> Result:
        _check_cancel(cancel)
        code, handle = perform(self._hooks, send, cancel)
        result = (
            native.read_result(handle, code, user_id, action)
            if handle
            else Result(user_id, action, Code(code), message=native.text_of(code))
        )
        if code:
            raise error_for(result)
        return result

    def _batch(
        self, user_ids: Iterable[str], action: Optional[Action], convert: Callable[[Result], T], cancel: Optional[Cancel]
    ) -> Batch[T]:
        _check_cancel(cancel)
        users = users_of(user_ids)
        if calling_back(self._hooks):
            raise usage_error(Code.REENTRANT, native.text_of(Code.REENTRANT))
        return Batch(self._open(), self._hooks, users, action, convert, cancel)

    def close(self) -> None:
        """Closes the connections when the calls of other threads have ended. Later calls raise ``RuntimeError``."""
        self._native = None

    def __enter__(self) -> Self:
        self._open()
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()


def _unchanged(result: Result) -> Result:
    return result


def _check_cancel(cancel: Optional[Cancel]) -> None:
    if cancel is not None and not isinstance(cancel, Cancel):
        raise TypeError(f"cancel must be a Cancel of zoom_user_status, not {type(cancel).__name__}")


def _token_writer(provider: TokenProvider) -> Callable[..., int]:
    waiting: List[bytes] = []  # a token that did not fit: libzus calls again with a larger buffer

    def write(_userdata: object, rejected: int, buffer: Any, capacity: int) -> int:
        token = waiting.pop() if waiting else to_bytes("the token of token_provider", provider(bool(rejected)))
        if len(token) > TOKEN_MOST:
            raise usage_error(Code.ARGUMENT, f"the token of token_provider has {len(token)} bytes: it may have at most {TOKEN_MOST}")
        if len(token) > capacity:
            waiting.append(token)
        else:
            ctypes.memmove(buffer, token, len(token))
        return len(token)

    return write


def _log_writer(log: logging.Logger) -> Callable[..., None]:
    def write(_userdata: object, level: int, message: bytes) -> None:
        name_this_thread()
        log.log(LEVELS.get(level, logging.DEBUG), "%s", message.decode("utf-8", "replace"))

    return write
