"""The client for asyncio."""

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
    """``Client`` for asyncio, with the same options and methods: ``await zoom.deactivate(user)``,
    ``async for result in zoom.update_many(users, "deactivate")``.

    No call takes a thread of Python's: libzus sends up to ``concurrency`` calls at once, and the event loop watches a descriptor.
    (Where it can't, as the default loop of Windows, one thread waits for all calls.) Cancelling the task of a call cancels the call:
    its update may or may not have been done, and to repeat it does no harm.

    Args:
        token_provider: may be a coroutine function. It runs in the loop, as does the logger. Its exception is raised by the
            calls that wait for a token.

    It is for one event loop at a time, and for asyncio only. Leaving its ``async with`` block ends the calls that are still under
    way with ``Cancelled``, and the end of the program is never held up by any. It doesn't survive a fork.
    """

    _queue: Queue

    def _listen(self, put: Put, provider: Optional[AsyncTokenProvider], log: logging.Logger, level: int) -> List[Any]:
        self._queue = Queue(provider, log)
        kinds = level + (_EVENTS_TOKEN if provider is not None else 0)
        put("logger", native.config_set_events, self._queue.handle, kinds)
        return []

    async def update(self, user_id: str, action: ActionLike) -> Result:
        """``Client.update``, without blocking the loop."""
        wanted = Action.of(action)
        client = self._open()
        start = _start(client, to_bytes("user_id", user_id), wanted)
        return (await self._queue.call(client, start, user_id, wanted)).raise_for_status()

    async def activate(self, user_id: str) -> Result:
        """``update`` with ``Action.ACTIVATE``: the user can log in again. Zoom isn't said to give the licenses back."""
        return await self.update(user_id, Action.ACTIVATE)

    async def deactivate(self, user_id: str) -> Result:
        """``update`` with ``Action.DEACTIVATE``: takes all licenses and blocks the login."""
        return await self.update(user_id, Action.DEACTIVATE)

    async def clock_in(self, user_id: str) -> Result:
        """``update`` with ``Action.CLOCK_IN``."""
        return await self.update(user_id, Action.CLOCK_IN)

    async def clock_out(self, user_id: str) -> Result:
        """``update`` with ``Action.CLOCK_OUT``."""
        return await self.update(user_id, Action.CLOCK_OUT)

    async def status(self, user_id: str) -> UserStatus:
        """``Client.status``, without blocking the loop."""
        client = self._open()
        start = _start(client, to_bytes("user_id", user_id), None)
        result = await self._queue.call(client, start, user_id, None)
        return UserStatus.of(result.raise_for_status())

    def update_many(self, user_ids: Iterable[str], action: ActionLike) -> AsyncBatch[Result]:
        """``Client.update_many`` for ``async for``. See ``AsyncBatch`` for how to stop early."""
        return self._batch(user_ids, Action.of(action), _as_it_is)

    def statuses(self, user_ids: Iterable[str]) -> AsyncBatch[UserStatus]:
        """``Client.statuses`` for ``async for``."""
        return self._batch(user_ids, None, UserStatus.of)

    async def check_credentials(self) -> Credentials:
        """``Client.check_credentials``, without blocking the loop."""
        client = self._open()

        def start(canceller: native.Canceller, queue: native.QueueHandle, number: int) -> int:
            code: int = native.check_credentials_start(client.value, canceller, queue, number)
            return code

        result = await self._queue.call(client, start, "", None)
        return Credentials.parse(self._kind, result.raise_for_status().body)

    def _batch(self, user_ids: Iterable[str], action: Optional[Action], given: Callable[[Result], T]) -> AsyncBatch[T]:
        self._open()
        return AsyncBatch(
            self._queue,
            self._open,
            _start,
            users_of(user_ids),
            action,
            given,
            2 * self._concurrency,
            self._verifies and action in VERIFIED,
        )

    async def aclose(self) -> None:
        """Closes the connections. Calls that are under way end with ``Cancelled``; from now on they raise ``RuntimeError``."""
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


def _as_it_is(result: Result) -> Result:
    return result


def _start(client: native.ClientHandle, user: bytes, action: Optional[Action]) -> Start:
    """Starts to update a user, or without an action to read one."""

    def start(canceller: native.Canceller, queue: native.QueueHandle, number: int) -> int:
        code: int = (
            native.get_user_status_start(client.value, user, canceller, queue, number)
            if action is None
            else native.update_status_start(client.value, user, action, canceller, queue, number)
        )
        return code

    return start
