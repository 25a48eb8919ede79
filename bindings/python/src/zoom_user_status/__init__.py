"""Activates, deactivates and reads Zoom users.

    from zoom_user_status import Client, UserNotFound

    with Client.from_env() as zoom:
        zoom.deactivate("ada@example.com")

A call returns a ``Result`` or raises a ``ZoomUserStatusError``, which has the result. Log lines go to the logger ``zoom_user_status``.
No log line, message or ``repr`` holds a secret.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Mapping, Optional

from ._batch import Batch
from ._calls import Cancel
from ._client import Client, TokenProvider
from ._codes import Action, ActionLike, ActionName, Code, Delivery, Status
from ._errors import (
    ReentrantError,
    Cancelled,
    ConnectError,
    ConnectionBroken,
    CredentialsMissing,
    DailyLimitReached,
    Forbidden,
    EndpointError,
    ForkedError,
    InternalError,
    InvalidArgument,
    NetworkError,
    NoThread,
    NotVerified,
    ProtocolError,
    ProxyError,
    QueueFull,
    RateLimited,
    Rejected,
    ResolveError,
    UserLimitReached,
    ServerError,
    TimedOut,
    TLSError,
    TokenError,
    Unauthorized,
    UsageError,
    UserBusy,
    UserNotFound,
    UserProtected,
    ZoomError,
    ZoomUserStatusError,
)
from ._options import Options
from ._result import Credentials, Result, UserStatus
from ._typing import Unpack

if TYPE_CHECKING:
    from ._async import AsyncClient
    from ._async_batch import AsyncBatch
    from ._queue import AsyncTokenProvider

__version__ = "0.1.0"

_ASYNC = {"AsyncBatch": "_async_batch", "AsyncClient": "_async", "AsyncTokenProvider": "_queue"}

# A failure is raised or returned. Without this handler, Python would also print it for a program that has not set up logging.
logging.getLogger("zoom_user_status").addHandler(logging.NullHandler())


def __getattr__(name: str) -> Any:
    """Imports the names that need asyncio when they are first used: importing asyncio takes longer than all the rest."""
    if name not in _ASYNC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    found = getattr(importlib.import_module(f".{_ASYNC[name]}", __name__), name)
    globals()[name] = found
    return found


def from_env(env: Optional[Mapping[str, str]] = None, **options: Unpack[Options]) -> Client:
    """Makes a client with the credentials of the environment, as ``Client.from_env`` does."""
    return Client.from_env(env, **options)


__all__ = [
    "Action",
    "ActionLike",
    "ActionName",
    "AsyncBatch",
    "AsyncClient",
    "AsyncTokenProvider",
    "Batch",
    "ReentrantError",
    "Cancel",
    "Cancelled",
    "Client",
    "Code",
    "ConnectError",
    "ConnectionBroken",
    "Credentials",
    "CredentialsMissing",
    "DailyLimitReached",
    "Delivery",
    "EndpointError",
    "Forbidden",
    "ForkedError",
    "InternalError",
    "InvalidArgument",
    "NetworkError",
    "NoThread",
    "NotVerified",
    "ProtocolError",
    "ProxyError",
    "QueueFull",
    "RateLimited",
    "Rejected",
    "ResolveError",
    "Result",
    "UserLimitReached",
    "ServerError",
    "Status",
    "TLSError",
    "TimedOut",
    "TokenError",
    "TokenProvider",
    "Unauthorized",
    "UsageError",
    "UserBusy",
    "UserNotFound",
    "UserProtected",
    "UserStatus",
    "ZoomError",
    "ZoomUserStatusError",
    "__version__",
    "from_env",
]
