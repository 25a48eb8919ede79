"""The client."""

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
"""Gives a bearer token; the argument says whether Zoom refused the last one."""


class Client(BaseClient[TokenProvider]):
    """Activates, deactivates and reads the users of one Zoom account.

    Give one kind of credentials: ``token``; or ``account_id``, ``client_id`` and ``client_secret`` of a Server-to-Server
    OAuth app, whose tokens are fetched, kept and renewed; or a ``token_provider``, which is called with ``True`` when Zoom refused
    its last token. None of them is kept in Python.

    A client is safe in many threads at once, and is best shared: it keeps connections, the token and the pace. Making one sends
    nothing. It doesn't survive a fork: the child's calls raise ``ForkedError``.

    Args:
        base_url: the API's; https, except on loopback. ``oauth_url``: where tokens come from.
        timeout: seconds for a whole update with its retries and waits, or a pair: to connect, and for the whole.
        attempt_timeout: seconds for one attempt of it; one that takes longer is retried. ``None``: the whole divided by the
            attempts, but at least 10.
        retries: how often a request is repeated where that is safe and useful; 0 for never.
        backoff: seconds before the first retry, and the most before any.
        rate: requests a second of the whole client; ``None`` or 0 for no limit. Zoom allows 4 (Free), 30 (Pro), 80 (Business).
        concurrency: users in flight in ``update_many`` and ``statuses``; in an ``AsyncClient``, calls in flight.
        verify: after Zoom accepted an activation or deactivation, the user is read until the status is the wanted one, for up to
            so many seconds; else ``NotVerified``. Costs at least one request more for each user, and needs the scope
            ``user:read:user:admin``. 0: updates are not verified.
        proxy: its URL; "" for none; ``None`` takes the environment's.
        ca_file: a PEM file: only its certificates are trusted. ``None`` takes the operating system's.
        encoding: ``"form"`` sends the action as form data and, where that is refused, as JSON from then on; ``"json"`` at once.
        logger: where log lines go, by default ``logging.getLogger("zoom_user_status")``. Lines under its level at this
            moment are not made.

    Raises:
        CredentialsMissing: no credentials, or a part of them.
        InvalidArgument: a value can't be used.
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
        """Does one action with one user, and waits for Zoom's response.

        Args:
            user_id: Zoom's id of the user, or the e-mail address, without blanks around it.
            action: an ``Action`` or its name: activate, deactivate, clock_in, clock_out.

        Raises:
            UserNotFound, UserProtected, RateLimited, Unauthorized, ...: the ``ZoomUserStatusError`` of what went wrong; its
                ``result`` has Zoom's code, message and tracking id.
            KeyboardInterrupt: on Ctrl-C, at once. The update may or may not have been done; to repeat it does no harm.
        """
        wanted = Action.of(action)
        client = self._open()
        user = to_bytes("user_id", user_id)

        def send(canceller: native.Canceller, out: native.ResultHandle) -> int:
            code: int = native.update_status(client.value, user, wanted, canceller, out)
            return code

        return self._wait(user_id, wanted, send, cancel)

    def activate(self, user_id: str, *, cancel: Optional[Cancel] = None) -> Result:
        """``update`` with ``Action.ACTIVATE``: the user can log in again. Zoom isn't said to give the licenses back."""
        return self.update(user_id, Action.ACTIVATE, cancel=cancel)

    def deactivate(self, user_id: str, *, cancel: Optional[Cancel] = None) -> Result:
        """``update`` with ``Action.DEACTIVATE``: takes all licenses and blocks the login."""
        return self.update(user_id, Action.DEACTIVATE, cancel=cancel)

    def clock_in(self, user_id: str, *, cancel: Optional[Cancel] = None) -> Result:
        """``update`` with ``Action.CLOCK_IN``."""
        return self.update(user_id, Action.CLOCK_IN, cancel=cancel)

    def clock_out(self, user_id: str, *, cancel: Optional[Cancel] = None) -> Result:
        """``update`` with ``Action.CLOCK_OUT``."""
        return self.update(user_id, Action.CLOCK_OUT, cancel=cancel)

    def status(self, user_id: str, *, cancel: Optional[Cancel] = None) -> UserStatus:
        """Reads one user: active, inactive or pending, the role, the last login. Needs the scope ``user:read:user:admin``, or the
        classic ``user:read:admin`` or ``user:write:admin``.

        Raises:
            UserNotFound, Forbidden, ...: as ``update`` does.
        """
        client = self._open()
        user = to_bytes("user_id", user_id)

        def send(canceller: native.Canceller, out: native.ResultHandle) -> int:
            code: int = native.get_user_status(client.value, user, canceller, out)
            return code

        return UserStatus.of(self._wait(user_id, None, send, cancel))

    def update_many(self, user_ids: Iterable[str], action: ActionLike, *, cancel: Optional[Cancel] = None) -> Batch[Result]:
        """Does one action with many users, ``concurrency`` at a time and paced by ``rate``: an iterator of their results in the
        order in which they end. A user's failure is a result like any other; ids given twice are sent twice.

        Nothing is sent before the first result is asked for. See ``Batch`` for how to stop early.
        """
        return self._batch(user_ids, Action.of(action), _as_it_is, cancel)

    def statuses(self, user_ids: Iterable[str], *, cancel: Optional[Cancel] = None) -> Batch[UserStatus]:
        """Reads many users, as ``update_many`` updates them. A user who can't be read is there too: with ``ok`` false, and the
        reason in ``result``.
        """
        return self._batch(user_ids, None, UserStatus.of, cancel)

    def check_credentials(self, *, cancel: Optional[Cancel] = None) -> Credentials:
        """Gets a token and touches no user. Of a fixed token or a provider's nothing can be learnt this way.

        Raises:
            TokenError: Zoom gives none for these credentials; the message says why.
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
        self, user_ids: Iterable[str], action: Optional[Action], given: Callable[[Result], T], cancel: Optional[Cancel]
    ) -> Batch[T]:
        _check_cancel(cancel)
        users = users_of(user_ids)
        if calling_back(self._hooks):
            raise usage_error(Code.REENTRANT, native.text_of(Code.REENTRANT))
        return Batch(self._open(), self._hooks, users, action, given, cancel)

    def close(self) -> None:
        """Closes the connections once the calls of other threads have ended. Calls from then on raise ``RuntimeError``."""
        self._native = None

    def __enter__(self) -> Self:
        self._open()
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()


def _as_it_is(result: Result) -> Result:
    return result


def _check_cancel(cancel: Optional[Cancel]) -> None:
    if cancel is not None and not isinstance(cancel, Cancel):
        raise TypeError(f"cancel is a Cancel of zoom_user_status, not {type(cancel).__name__}")


def _token_writer(provider: TokenProvider) -> Callable[..., int]:
    waiting: List[bytes] = []  # a token that asked for a larger buffer

    def write(_userdata: object, refused: int, buffer: Any, capacity: int) -> int:
        token = waiting.pop() if waiting else to_bytes("the token of token_provider", provider(bool(refused)))
        if len(token) > TOKEN_MOST:
            raise usage_error(Code.ARGUMENT, f"the token of token_provider has more than {TOKEN_MOST} bytes")
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
