"""Activate and deactivate Zoom users.

    from zoom_user_status import Client, UserNotFound

    with Client.from_env() as zoom:
        zoom.deactivate("ada@example.com")

Calls return a ``Result`` or raise a ``ZoomUserStatusError`` that has one. Log lines go to the logger ``zoom_user_status``; none of
them, no message and no repr holds a secret.
"""

from __future__ import annotations

import logging
from typing import Mapping, Optional

from ._batch import Batch
from ._calls import Cancel
from ._client import Client, Options, TokenProvider
from ._codes import Action, ActionLike, ActionName, Code
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
    ProtocolError,
    ProxyError,
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
from ._result import Credentials, Result
from ._typing import Unpack

__version__ = "0.1.0"

# Failures are raised or returned; without logging set up they aren't printed as well.
logging.getLogger("zoom_user_status").addHandler(logging.NullHandler())


def from_env(env: Optional[Mapping[str, str]] = None, **options: Unpack[Options]) -> Client:
    """``Client.from_env``: a client with the credentials of the environment."""
    return Client.from_env(env, **options)


__all__ = [
    "Action",
    "ActionLike",
    "ActionName",
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
    "EndpointError",
    "Forbidden",
    "ForkedError",
    "InternalError",
    "InvalidArgument",
    "NetworkError",
    "ProtocolError",
    "ProxyError",
    "RateLimited",
    "Rejected",
    "ResolveError",
    "Result",
    "UserLimitReached",
    "ServerError",
    "TLSError",
    "TimedOut",
    "TokenError",
    "TokenProvider",
    "Unauthorized",
    "UsageError",
    "UserBusy",
    "UserNotFound",
    "UserProtected",
    "ZoomError",
    "ZoomUserStatusError",
    "__version__",
    "from_env",
]
