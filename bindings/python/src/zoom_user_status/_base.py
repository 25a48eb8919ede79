"""Holds what ``Client`` and ``AsyncClient`` have in common: credentials, options, and the native client."""

from __future__ import annotations

import logging
import os
from abc import ABC, abstractmethod
from typing import Any, Callable, Generic, Iterable, List, Literal, Mapping, Optional, Tuple, TypeVar, Union
from urllib.parse import urlsplit

from . import _native as native
from ._codes import Action, Code
from ._options import (
    BACKOFF,
    BASE_URL,
    CONCURRENCY,
    ENV_PROXY,
    LEVELS,
    MUST_BE,
    OAUTH_URL,
    RATE,
    RETRIES,
    TIMEOUT,
    Options,
    kind_of,
    to_bytes,
    to_encoding,
    to_ms,
    to_rate,
    to_timeouts,
    to_times,
    to_whole,
    usage_error,
)
from ._typing import Self, Unpack

Provider = TypeVar("Provider", bound=Callable[[bool], Any])
Put = Callable[..., None]
"""Sets one setting. Its arguments are the setting's name, the native function, and the values."""

VERIFIED = (Action.ACTIVATE, Action.DEACTIVATE)
"""The actions that ``verify`` verifies. The others change no status."""


class BaseClient(ABC, Generic[Provider]):
    """Makes the native client from the options."""

    def __init__(
        self,
        token: Optional[str] = None,
        *,
        account_id: Optional[str] = None,
        client_id: Optional[str] = None,
        client_secret: Optional[str] = None,
        token_provider: Optional[Provider] = None,
        base_url: str = BASE_URL,
        oauth_url: str = OAUTH_URL,
        timeout: Union[float, Tuple[float, float]] = TIMEOUT,
        attempt_timeout: Optional[float] = None,
        retries: int = RETRIES,
        backoff: Tuple[float, float] = BACKOFF,
        rate: Optional[float] = RATE,
        concurrency: int = CONCURRENCY,
        verify: float = 0,
        proxy: Optional[str] = None,
        ca_file: Union[str, os.PathLike[str], None] = None,
        encoding: Literal["form", "json"] = "form",
        user_agent: Optional[str] = None,
        logger: Union[logging.Logger, str, None] = None,
    ) -> None:
        self._native: Optional[native.ClientHandle] = None
        self._kind = kind_of(token, account_id, client_id, client_secret, token_provider)
        self._base_url = base_url
        self._concurrency = to_whole("concurrency", concurrency)
        self._verifies = verify != 0
        connect, total = to_timeouts(timeout)
        first, most = to_times("backoff", backoff)
        keep: List[Any] = []
        config: int = native.config_new()

        def put(name: str, setter: Any, *values: Any) -> None:
            code = setter(config, *values)
            if code:
                must_be = MUST_BE.get(name) if code == Code.ARGUMENT else None
                said = f" must be {must_be}" if must_be else f": {native.config_message(config).decode()}"
                raise usage_error(Code(code), name + said)

        try:
            if token is not None:
                put("token", native.config_set_token, to_bytes("token", token))
            elif token_provider is not None:
                if not callable(token_provider):
                    raise TypeError(f"token_provider must be a function, not {type(token_provider).__name__}")
            else:
                names = ("account_id", "client_id", "client_secret")
                parts = [to_bytes(name, value) for name, value in zip(names, (account_id, client_id, client_secret))]
                put("account_id, client_id, client_secret", native.config_set_oauth, *parts)
            put("base_url", native.config_set_urls, to_bytes("base_url", base_url), None)
            put("oauth_url", native.config_set_urls, None, to_bytes("oauth_url", oauth_url))
            put("timeout", native.config_set_timeouts, connect, total)
            if attempt_timeout is not None:
                put("attempt_timeout", native.config_set_attempt_timeout, to_ms("attempt_timeout", attempt_timeout))
            if verify != 0:
                put("verify", native.config_set_verify, to_ms("verify", verify))
            attempts = to_whole("retries", retries) + 1
            put("retries", native.config_set_retry, attempts, 1, 1)  # alone, so that an error names retries and not backoff
            put("backoff", native.config_set_retry, attempts, first, most)
            put("rate", native.config_set_rate, *to_rate(rate))
            put("concurrency", native.config_set_concurrency, self._concurrency)
            put("encoding", native.config_set_encoding, to_encoding(encoding))
            if proxy is not None:
                put("proxy", native.config_set_proxy, to_bytes("proxy", proxy))
            if ca_file is not None:
                with open(ca_file, "rb") as file:
                    pem = file.read()
                put("ca_file", native.config_set_ca_pem, pem, len(pem))
            if user_agent is not None:
                put("user_agent", native.config_set_user_agent, to_bytes("user_agent", user_agent))
            log = logger if isinstance(logger, logging.Logger) else logging.getLogger(logger or "zoom_user_status")
            # Warnings are always on: they are rare, and a program often sets up logging after it made the client.
            level = max((number for number, name in LEVELS.items() if log.isEnabledFor(name)), default=2)
            keep += self._listen(put, token_provider, log, max(level, 2))
            client = native.ClientHandle(keep)
            put(ENV_PROXY, client.open)  # the native client reads the proxy of the environment only now
            self._native = client
        finally:
            native.config_free(config)

    @classmethod
    def from_env(cls, env: Optional[Mapping[str, str]] = None, **options: Unpack[Options]) -> Self:
        """Makes a client from the environment, or from another mapping. It reads ZOOM_ACCESS_TOKEN, else ZOOM_ACCOUNT_ID,
        ZOOM_CLIENT_ID and ZOOM_CLIENT_SECRET. It also reads ZOOM_API_URL and ZOOM_OAUTH_URL. The options are those of ``Client``.

        Raises:
            CredentialsMissing: a variable is not set; the message names it.
        """
        env = os.environ if env is None else env
        urls = (env.get("ZOOM_API_URL") or BASE_URL, env.get("ZOOM_OAUTH_URL") or OAUTH_URL)
        token = env.get("ZOOM_ACCESS_TOKEN")
        if token:
            return cls(token, base_url=urls[0], oauth_url=urls[1], **options)
        names = ("ZOOM_ACCOUNT_ID", "ZOOM_CLIENT_ID", "ZOOM_CLIENT_SECRET")
        account_id, client_id, client_secret = (env.get(name) or "" for name in names)
        missing = [name for name in names if not env.get(name)]
        if missing:
            others = "ZOOM_ACCESS_TOKEN or " if len(missing) == len(names) else ""
            raise usage_error(Code.CREDENTIALS, f"the environment has no credentials: set {others}{', '.join(missing)}")
        return cls(
            account_id=account_id,
            client_id=client_id,
            client_secret=client_secret,
            base_url=urls[0],
            oauth_url=urls[1],
            **options,
        )

    @abstractmethod
    def _listen(self, put: Put, provider: Optional[Provider], log: logging.Logger, level: int) -> List[Any]:
        """Connects the token provider and the logger to the client. Returns what must live as long as the native client."""

    def _open(self) -> native.ClientHandle:
        if self._native is None:
            raise RuntimeError("the client is closed: make a new one")
        return self._native

    def __repr__(self) -> str:
        url = urlsplit(self._base_url)
        shown = f"{url.scheme}://{url.netloc.rpartition('@')[2]}{url.path}"
        return f"<{type(self).__name__} {shown} {self._kind}{'' if self._native else ' closed'}>"

    def __reduce__(self) -> Tuple[Any, ...]:
        raise TypeError(f"a client ({type(self).__name__}) can't be pickled: make one in each process")


def users_of(user_ids: Iterable[str]) -> List[str]:
    """Returns the users of a batch as a list, after checking their types."""
    if isinstance(user_ids, (str, bytes)):
        raise TypeError("user_ids must be a list of user IDs, not a single one: put it into a list")
    users = list(user_ids)
    for user in users:
        if not isinstance(user, str):
            raise TypeError(f"each user ID must be a str, not {type(user).__name__}")
    return users


def of_many(user: str) -> bytes:
    """Returns a user ID of a batch for the C API. It replaces what C can't take (a NUL, a surrogate) by what C rejects with the same
    code, so that the other users of the batch are still sent."""
    return user.encode("utf-8", "surrogatepass").replace(b"\0", b"\1")
