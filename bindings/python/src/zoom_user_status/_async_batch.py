"""Updates or reads many users for asyncio: it keeps a limited number of started calls ahead of the results that were taken."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import weakref
from collections import deque
from types import TracebackType
from typing import Any, Callable, Deque, Generic, List, NoReturn, Optional, Type, TypeVar

from . import _native as native
from ._base import of_many
from ._codes import Action, Code, Delivery
from ._errors import error_for
from ._queue import Queue, Start, Started
from ._result import Result
from ._typing import Self

T = TypeVar("T")


class AsyncBatch(Generic[T]):
    """Gives the results of ``AsyncClient.update_many`` or ``AsyncClient.statuses``, in the order in which the users end.

    To end the batch early, call ``stop()``, which lets the users in flight finish, or ``cancel()``, which ends within moments. Leaving its
    ``async with`` block cancels it, and so does a ``break`` out of a loop over a batch that no variable names, or cancelling the task that
    waits for a result. The users in flight still have results: go on iterating to get them. A user without a result was never sent. When
    your code takes results slowly, the batch sends slowly.

    A failure that is fatal for the batch (no token, a rejected token, a missing scope, the daily limit) ends it early: the iteration
    raises that failure's exception after the last result. The iteration raises an exception of the token provider in the same way.
    """

    def __init__(
        self,
        queue: Queue,
        client: Callable[[], native.ClientHandle],
        start: Callable[[native.ClientHandle, bytes, Optional[Action]], Start],
        users: List[str],
        action: Optional[Action],
        convert: Callable[[Result], T],
        window: int,
        reads_first: bool,
    ) -> None:
        self._queue = queue
        self._client = client
        self._start = start
        self._users = users
        self._action = action
        self._convert = convert
        self._window = window
        self._reads_first = reads_first
        self._canceller = native.Canceller()
        self._results: Deque[Result] = deque()
        self._next = 0
        self._in_flight = 0
        self._stopped = False
        self._failed = False
        self._fatal: Optional[Result] = None
        self._error: Optional[BaseException] = None
        self._over = False
        self._waiters: List[asyncio.Future[None]] = []

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        if self._over:
            raise StopAsyncIteration
        try:
            if self._reads_first:
                self._reads_first = False
                await self._read_first()
            self._fill()
            while self._in_flight and not self._results:
                await self._change()
                self._fill()
        except BaseException:
            self.cancel()
            raise
        if not self._results:
            self._end()
        return self._convert(self._results.popleft())

    def stop(self) -> None:
        """Sends no further user, and lets the users in flight finish. Go on iterating to get their results."""
        self._stopped = True
        self._stop_started()

    def cancel(self) -> None:
        """Sends no further user and cancels the users in flight. Go on iterating to get their results."""
        self._stopped = True
        self._queue.cancel(self._canceller)

    async def aclose(self) -> None:
        """Calls ``cancel()`` and waits until the users in flight have ended. You can still iterate over their results."""
        self.cancel()
        while self._in_flight:
            await self._change()

    @property
    def code(self) -> Optional[Code]:
        """How the batch ended: OK, PARTIAL, CANCELLED, or the code that was fatal for it. ``None`` while the batch runs."""
        if self._in_flight or self._results or not (self._over or self._is_out):
            return None
        if self._stopped:
            return Code.CANCELLED
        if self._fatal is not None:
            return self._fatal.code
        return Code.PARTIAL if self._failed else Code.OK

    def __repr__(self) -> str:
        code = self.code
        state = f"{self._next} started" if code is None else f"ended {code}"
        return f"<{type(self).__name__} {self._action or 'status'} of {len(self._users)} users, {state}>"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        await self.aclose()

    def __del__(self) -> None:
        with contextlib.suppress(Exception):
            if self._in_flight:
                self.cancel()

    # ---- sending

    @property
    def _is_out(self) -> bool:
        """Whether the batch will start no further user."""
        return self._stopped or self._fatal is not None or self._next == len(self._users)

    async def _read_first(self) -> None:
        """Reads the first user of a batch that verifies: a missing scope for reading ends the batch before any user is updated."""
        if not self._users or self._stopped:
            return
        client = self._client()
        start = self._start(client, of_many(self._users[0]), None)
        read, error = await self._queue.end_of(client, start, self._users[0], self._action, self._canceller)
        if read.is_fatal:
            self._next = 1
            self._add(dataclasses.replace(read, delivery=Delivery.NOT_SENT), error)

    def _fill(self) -> None:
        while not self._is_out and self._in_flight + len(self._results) < self._window:
            index = self._next
            user = self._users[index]
            client = self._client()
            # It holds only a weak reference to the batch, so that a batch that nobody uses any more can be freed.
            ended = _Ended(weakref.ref(self))
            call = Started(client, user, self._action, index, ended)
            code = self._queue.start(self._start(client, of_many(user), self._action), self._canceller, call)
            if code == Code.OK:
                self._in_flight += 1
            elif code in (Code.QUEUE_FULL, Code.NO_THREAD) and self._in_flight:
                return  # it tries again when a user has ended
            else:
                result = Result(user, self._action, Code(code), message=native.text_of(code), index=index)
                if code not in (Code.UTF8, Code.ARGUMENT):
                    raise error_for(result)
                self._add(result, None)
            self._next += 1

    def _ended(self, result: Result, error: Optional[BaseException]) -> None:
        self._in_flight -= 1
        self._add(result, error)
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def _change(self) -> None:
        """Waits until a user has ended."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        await waiter

    def _add(self, result: Result, error: Optional[BaseException]) -> None:
        if result.code is Code.CANCELLED and not result.attempts:
            return  # the user was not sent
        self._failed = self._failed or not result.ok
        if result.is_fatal and self._fatal is None:
            self._fatal, self._error = result, error
            self._stop_started()
        self._results.append(result)

    def _stop_started(self) -> None:
        with contextlib.suppress(RuntimeError):  # a closed client has ended them
            native.client_stop_started(self._client().value, self._canceller)

    def _end(self) -> NoReturn:
        self._over = True
        if self._error is not None:
            raise self._error
        if self._fatal is not None and not self._stopped:
            raise error_for(self._fatal)
        raise StopAsyncIteration


class _Ended:
    """Passes the result of one call to its batch, unless the batch was freed."""

    __slots__ = ("_batch",)

    def __init__(self, batch: weakref.ref[AsyncBatch[Any]]) -> None:
        self._batch = batch

    def __call__(self, result: Result, error: Optional[BaseException]) -> None:
        batch = self._batch()
        if batch is not None:
            batch._ended(result, error)
