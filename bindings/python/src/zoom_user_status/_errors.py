"""The exceptions: one for each code that a caller would handle, under a few that group them."""

from __future__ import annotations

from typing import Any, Dict, Tuple, Type

from ._codes import Code
from ._result import Result


class ZoomUserStatusError(Exception):
    """The base of all. ``result`` holds everything that is known of the call."""

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
        """Zoom's ``x-zm-trackingid``, which its support asks for."""
        return self.result.tracking_id


class UsageError(ZoomUserStatusError):
    """The call itself is wrong; nothing was sent."""


class InvalidArgument(UsageError, ValueError):
    """A value can't be used: an empty or blank-padded user id, a control character, a number out of range."""


class CredentialsMissing(UsageError):
    """No credentials are configured."""


class ForkedError(UsageError):
    """The client was made before a fork. Make one in the child."""


class ReentrantError(UsageError):
    """A token provider or log handler called back into its own client."""


class NetworkError(ZoomUserStatusError):
    """No answer from Zoom. The update may or may not have been done; to repeat it does no harm."""


class ResolveError(NetworkError):
    """The host name could not be resolved."""


class ConnectError(NetworkError):
    """No connection could be made."""


class TLSError(NetworkError):
    """The certificate is not trusted, or TLS failed."""


class TimedOut(NetworkError, TimeoutError):
    """No answer within the timeout."""


class ProxyError(NetworkError):
    """The proxy refused or failed."""


class ConnectionBroken(NetworkError):
    """The connection broke before the whole answer was read."""


class ProtocolError(NetworkError):
    """A response that Zoom doesn't send: HTML, text, a redirect, too large, cut short. Often a proxy or a captive portal."""


class ZoomError(ZoomUserStatusError):
    """Zoom answered, and refused."""


class TokenError(ZoomError):
    """No access token could be obtained with these credentials."""


class Unauthorized(ZoomError):
    """Zoom rejected the access token: expired, revoked or not a token."""


class Forbidden(ZoomError):
    """A scope or a permission is missing; the message names it."""


class UserNotFound(ZoomError):
    """No such user on this account."""


class UserProtected(ZoomError):
    """A Zoom Room or an admin, whose status can't be changed."""


class UserBusy(ZoomError):
    """The user has upcoming Zoom Events."""


class UserLimitReached(ZoomError):
    """The account has reached its user limit."""


class RateLimited(ZoomError):
    """Too many requests a second, and still so after the retries; ``result.retry_after`` may say when."""


class DailyLimitReached(RateLimited):
    """A rate limit that lasts, such as the daily limit; ``result.retry_after`` may say when it ends."""


class Rejected(ZoomError):
    """Zoom rejected the request for another reason; ``result.zoom_code`` and the message say which."""


class ServerError(ZoomError):
    """Zoom failed with a 5xx, and still so after the retries."""


class NotVerified(ZoomError):
    """Zoom accepted the update, but the user's status did not become the wanted one in time, or could not be read:
    ``result.user_status`` and the message say which. Only with ``Client(verify=...)``."""


class EndpointError(ZoomError):
    """The server doesn't know this endpoint: check the API URL. Nothing is known of the user."""


class Cancelled(ZoomUserStatusError):
    """The call was cancelled. The update may or may not have been done; to repeat it does no harm."""


class QueueFull(ZoomUserStatusError):
    """65,536 calls of an ``AsyncClient`` are under way: this one was not started."""


class NoThread(ZoomUserStatusError):
    """The system has no thread left for a call of an ``AsyncClient``: it was not started."""


class InternalError(ZoomUserStatusError):
    """A bug in libzus: please report it."""


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
    """The exception of a failed result."""
    return ERRORS.get(result.code, ZoomUserStatusError)(result)
