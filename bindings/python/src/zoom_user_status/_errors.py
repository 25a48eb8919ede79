"""Holds the exceptions: one for each code that a program may want to handle, and base classes that group them."""

from __future__ import annotations

from typing import Any, Dict, Tuple, Type

from ._codes import Code
from ._result import Result


class ZoomUserStatusError(Exception):
    """The base class of all exceptions of this package. ``result`` holds everything that is known about the call."""

    def __init__(self, result: Result) -> None:
        super().__init__(result)
        self.result = result

    def __str__(self) -> str:
        result = self.result
        facts = [result.code.symbol]
        if result.tracking_id:
            facts.append(f"tracking id {result.tracking_id}")
        subject = f"{result.user_id}: " if result.user_id else ""
        return f"{subject}{result.message} ({', '.join(facts)})"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"

    def __reduce__(self) -> Tuple[Any, ...]:
        return type(self), (self.result,)

    @property
    def code(self) -> Code:
        return self.result.code

    @property
    def zoom_code(self) -> int:
        """Zoom's own error code, or 0."""
        return self.result.zoom_code

    @property
    def tracking_id(self) -> str:
        """Zoom's ``x-zm-trackingid``. Zoom's support asks for it."""
        return self.result.tracking_id


class UsageError(ZoomUserStatusError):
    """The call itself is wrong, and nothing was sent."""


class InvalidArgument(UsageError, ValueError):
    """A value is not allowed: an empty user ID, leading or trailing whitespace, a control character, a number out of range."""


class CredentialsMissing(UsageError):
    """The client has no credentials."""


class ForkedError(UsageError):
    """The client was made before a fork. Make a new client in the child process."""


class ReentrantError(UsageError):
    """A token provider or log handler called its own client."""


class NetworkError(ZoomUserStatusError):
    """No response from Zoom was received. ``result.delivery`` says whether the update may have been applied. It is safe to send it again."""


class ResolveError(NetworkError):
    """The host name could not be resolved."""


class ConnectError(NetworkError):
    """The connection could not be made."""


class TLSError(NetworkError):
    """The certificate is not trusted, or TLS failed."""


class TimedOut(NetworkError, TimeoutError):
    """The timeout ended before a response came."""


class ProxyError(NetworkError):
    """The proxy refused the connection or failed."""


class ConnectionBroken(NetworkError):
    """The connection broke before the whole response was read."""


class ProtocolError(NetworkError):
    """The response is not one that Zoom sends: HTML, text, a redirect, too large, cut short. It often comes from a proxy or a captive
    portal."""


class ZoomError(ZoomUserStatusError):
    """Zoom did not do what the call asked for, or a token could not be obtained."""


class TokenError(ZoomError):
    """No access token could be obtained with these credentials."""


class Unauthorized(ZoomError):
    """Zoom rejected the access token: it is expired, revoked or wrong."""


class Forbidden(ZoomError):
    """The app lacks a scope, or the token's user lacks a permission. The message has Zoom's words."""


class UserNotFound(ZoomError):
    """The account has no such user."""


class UserProtected(ZoomError):
    """The user is a Zoom Room or an admin, whose status can't be changed."""


class UserBusy(ZoomError):
    """The user has upcoming Zoom Events."""


class UserLimitReached(ZoomError):
    """The account has reached its user limit."""


class RateLimited(ZoomError):
    """The rate limit was reached, and the retries did not help. ``result.retry_after`` may say when to send again."""


class DailyLimitReached(RateLimited):
    """Zoom's daily limit was reached, or a rate limit that lasts more than a minute. ``result.retry_after`` may say when it ends."""


class Rejected(ZoomError):
    """Zoom rejected the request for another reason. ``result.zoom_code`` and the message say which."""


class ServerError(ZoomError):
    """Zoom's server failed, and the retries did not help. The update may have been applied."""


class NotVerified(ZoomError):
    """Zoom accepted the update, but the user's status did not become the wanted one in time, or could not be read.
    ``result.user_status`` and the message say which. Only a client with ``verify`` raises it."""


class EndpointError(ZoomError):
    """The server doesn't know this endpoint: check the API URL. The response says nothing about the user."""


class Cancelled(ZoomUserStatusError):
    """The call was cancelled. ``result.delivery`` says whether the update may have been applied. It is safe to send it again."""


class QueueFull(ZoomUserStatusError):
    """65,536 calls of an ``AsyncClient`` are in flight, so this call was not started."""


class NoThread(ZoomUserStatusError):
    """The system has no thread left for a call of an ``AsyncClient``, so the call was not started."""


class InternalError(ZoomUserStatusError):
    """libzus has a bug: please report it."""


ERRORS: Dict[Code, Type[ZoomUserStatusError]] = {
    Code.NULL: InvalidArgument,
    Code.UTF8: InvalidArgument,
    Code.ARGUMENT: InvalidArgument,
    Code.CREDENTIALS: CredentialsMissing,
    Code.FORKED: ForkedError,
    Code.REENTRANT: ReentrantError,
    Code.RESOLVE: ResolveError,
    Code.CONNECT: ConnectError,
    Code.TLS: TLSError,
    Code.TIMEOUT: TimedOut,
    Code.PROXY: ProxyError,
    Code.IO: ConnectionBroken,
    Code.PROTOCOL: ProtocolError,
    Code.TOKEN: TokenError,
    Code.UNAUTHORIZED: Unauthorized,
    Code.FORBIDDEN: Forbidden,
    Code.USER_NOT_FOUND: UserNotFound,
    Code.USER_PROTECTED: UserProtected,
    Code.USER_BUSY: UserBusy,
    Code.USER_LIMIT: UserLimitReached,
    Code.RATE_LIMITED: RateLimited,
    Code.DAILY_LIMIT: DailyLimitReached,
    Code.REJECTED: Rejected,
    Code.SERVER: ServerError,
    Code.NOT_VERIFIED: NotVerified,
    Code.ENDPOINT: EndpointError,
    Code.CANCELLED: Cancelled,
    Code.QUEUE_FULL: QueueFull,
    Code.NO_THREAD: NoThread,
    Code.PANIC: InternalError,
}


def error_for(result: Result) -> ZoomUserStatusError:
    """Returns the exception for a failed result."""
    return ERRORS.get(result.code, ZoomUserStatusError)(result)
