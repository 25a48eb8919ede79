"""Holds the client for asyncio."""

from __future__ import annotations

import logging
from types import TracebackType
from typing import Any, Callable, Iterable, List, Optional, Type, TypeVar

from . import _native as native
from ._async_batch import AsyncBatch
from ._base import VERIFIED, BaseClient, Put, users_of
from ._codes import Action, ActionLike
from ._options import to_bytes
from ._queue import AsyncTokenProvider, Queue, Start
from ._result import Credentials, Result, UserStatus
from ._typing import Self

T = TypeVar("T")
_EVENTS_TOKEN = 256


class AsyncClient(BaseClient[AsyncTokenProvider]):
    """Does what ``Client`` does, for asyncio. It has the same options and methods: ``await zoom.deactivate(user)``,
    ``async for result in zoom.update_many(users, "deactivate")``.

    No call uses a Python thread: libzus sends up to ``concurrency`` calls at once, and the event loop watches a descriptor. Some event
    loops can't watch one, such as the default loop of Windows: there, one thread waits for all calls.

    Cancelling the task of a call cancels the call. Its update may have been applied; it is safe to send it again.

    Args:
        token_provider: may be a coroutine function. The provider and the logger run in the event loop. The calls that wait for a token
            raise the provider's exception.

    A client works with one event loop at a time, and with asyncio only. Leaving its ``async with`` block cancels the calls that are
    still in flight: they raise ``Cancelled``. Calls in flight never delay the end of the program. After a fork, the child process needs
    a client of its own.
    """

    _queue: Queue

    def _listen(self, put: Put, provider: Optional[AsyncTokenProvider], log: logging.Logger, level: int) -> List[Any]:
        self._queue = Queue(provider, log)
        kinds = level + (_EVENTS_TOKEN if provider is not None else 0)
        put("logger", native.config_set_events, self._queue.handle, kinds)
        return []

    async def update(self, user_id: str, action: ActionLike) -> Result:
        """Does what ``Client.update`` does, without blocking the event loop."""
        wanted = Action.of(action)
        client = self._open()
        start = _start(client, to_bytes("user_id", user_id), wanted)
        return (await self._queue.call(client, start, user_id, wanted)).raise_for_status()

    async def activate(self, user_id: str) -> Result:
        """Activates a user, who can then log in again. Zoom does not give the user's licenses back."""
        return await self.update(user_id, Action.ACTIVATE)

    async def deactivate(self, user_id: str) -> Result:
        """Deactivates a user. Zoom removes all licenses of the user, who can no longer log in."""
        return await self.update(user_id, Action.DEACTIVATE)

    async def clock_in(self, user_id: str) -> Result:
        """Clocks a user in."""
        return await self.update(user_id, Action.CLOCK_IN)

    async def clock_out(self, user_id: str) -> Result:
        """Clocks a user out."""
        return await self.update(user_id, Action.CLOCK_OUT)

    async def status(self, user_id: str) -> UserStatus:
        """Does what ``Client.status`` does, without blocking the event loop."""
        client = self._open()
        start = _start(client, to_bytes("user_id", user_id), None)
        result = await self._queue.call(client, start, user_id, None)
        return UserStatus.of(result.raise_for_status())

    def update_many(self, user_ids: Iterable[str], action: ActionLike) -> AsyncBatch[Result]:
        """Does what ``Client.update_many`` does, for ``async for``. ``AsyncBatch`` explains how to stop it early."""
        return self._batch(user_ids, Action.of(action), _unchanged)

    def statuses(self, user_ids: Iterable[str]) -> AsyncBatch[UserStatus]:
        """Does what ``Client.statuses`` does, for ``async for``."""
        return self._batch(user_ids, None, UserStatus.of)

    async def check_credentials(self) -> Credentials:
        """Does what ``Client.check_credentials`` does, without blocking the event loop."""
        client = self._open()

        def start(canceller: native.Canceller, queue: native.QueueHandle, number: int) -> int:
            code: int = native.check_credentials_start(client.value, canceller, queue, number)
            return code

        result = await self._queue.call(client, start, "", None)
        return Credentials.parse(self._kind, result.raise_for_status().body)

    def _batch(self, user_ids: Iterable[str], action: Optional[Action], convert: Callable[[Result], T]) -> AsyncBatch[T]:
        self._open()
        return AsyncBatch(
            self._queue,
            self._open,
            _start,
            users_of(user_ids),
            action,
            convert,
            2 * self._concurrency,
            self._verifies and action in VERIFIED,
        )

    async def aclose(self) -> None:
        """Closes the connections and cancels the calls in flight, which raise ``Cancelled``. Later calls raise ``RuntimeError``."""
        client, self._native = self._native, None
        if client is not None and client.value and not self._queue.is_forked:
            native.client_cancel_started(client.value, 0)

    async def __aenter__(self) -> Self:
        self._open()
        return self

    async def __aexit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        await self.aclose()


def _unchanged(result: Result) -> Result:
    return result


def _start(client: native.ClientHandle, user: bytes, action: Optional[Action]) -> Start:
    """Returns a function that starts to update a user, or to read the user when there is no action."""

    def start(canceller: native.Canceller, queue: native.QueueHandle, number: int) -> int:
        code: int = (
            native.get_user_status_start(client.value, user, canceller, queue, number)
            if action is None
            else native.update_status_start(client.value, user, action, canceller, queue, number)
        )
        return code

    return start
