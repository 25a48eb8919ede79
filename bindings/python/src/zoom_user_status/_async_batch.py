"""Many users for asyncio: started calls, a window of them ahead."""

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
    """The results of ``AsyncClient.update_many`` or ``AsyncClient.statuses``, in the order in which the users end.

    To stop early, call ``stop()``, leave its ``async with`` block, or ``break`` out of a loop over a batch that no variable names.
    Users in flight are ended at once and still give their results: go on iterating for them. A user without a result was never sent.
    When you take results slowly, the batch waits for you. Cancelling the task that waits for a result stops it, too.

    When it ends early because no further user could succeed (no token, a rejected token, a missing scope, the daily limit), the
    iteration ends with that exception after the last result. An exception of the token provider ends it the same way.
    """

    def __init__(
        self,
        queue: Queue,
        client: Callable[[], native.ClientHandle],
        start: Callable[[native.ClientHandle, bytes, Optional[Action]], Start],
        users: List[str],
        action: Optional[Action],
        given: Callable[[Result], T],
        window: int,
        reads_first: bool,
    ) -> None:
        self._queue = queue
        self._client = client
        self._start = start
        self._users = users
        self._action = action
        self._given = given
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
            self.stop()
            raise
        if not self._results:
            self._end()
        return self._given(self._results.popleft())

    def stop(self) -> None:
        """Sends no further user and ends those in flight. Iterate on to get their results."""
        self._stopped = True
        self._queue.cancel(self._canceller)

    async def aclose(self) -> None:
        """``stop()``, and waits until the users in flight have ended. Their results are still there for iterating."""
        self.stop()
        while self._in_flight:
            await self._change()

    @property
    def code(self) -> Optional[Code]:
        """How it ended: OK, PARTIAL, CANCELLED or what ended it early. ``None`` while it runs."""
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
                self.stop()

    # ---- what it does

    @property
    def _is_out(self) -> bool:
        """Whether nobody else will be started."""
        return self._stopped or self._fatal is not None or self._next == len(self._users)

    async def _read_first(self) -> None:
        """Where updates are verified, a missing scope for reading ends the batch before anybody is updated."""
        if not self._users or self._stopped:
            return
        client = self._client()
        start = self._start(client, of_many(self._users[0]), None)
        read, error = await self._queue.end_of(client, start, self._users[0], self._action, self._canceller)
        if read.is_fatal:
            self._next = 1
            self._hear(dataclasses.replace(read, delivery=Delivery.NOT_SENT), error)

    def _fill(self) -> None:
        while not self._is_out and self._in_flight + len(self._results) < self._window:
            index = self._next
            user = self._users[index]
            client = self._client()
            # It knows nothing of the batch, which may be dropped.
            ended = _Ended(weakref.ref(self))
            call = Started(client, user, self._action, index, ended)
            code = self._queue.start(self._start(client, of_many(user), self._action), self._canceller, call)
            if code == Code.OK:
                self._in_flight += 1
            elif code in (Code.QUEUE_FULL, Code.NO_THREAD) and self._in_flight:
                return  # for now
            else:
                result = Result(user, self._action, Code(code), message=native.text_of(code), index=index)
                if code not in (Code.UTF8, Code.ARGUMENT):
                    raise error_for(result)
                self._hear(result, None)
            self._next += 1

    def _ended(self, result: Result, error: Optional[BaseException]) -> None:
        self._in_flight -= 1
        self._hear(result, error)
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def _change(self) -> None:
        """Waits until a user has ended."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        await waiter

    def _hear(self, result: Result, error: Optional[BaseException]) -> None:
        if result.code is Code.CANCELLED and not result.attempts:
            return  # never sent
        self._failed = self._failed or not result.ok
        if result.is_fatal and self._fatal is None:
            self._fatal, self._error = result, error
            with contextlib.suppress(RuntimeError):  # a closed client has ended them
                native.client_stop_started(self._client().value, self._canceller)
        self._results.append(result)

    def _end(self) -> NoReturn:
        self._over = True
        if self._error is not None:
            raise self._error
        if self._fatal is not None and not self._stopped:
            raise error_for(self._fatal)
        raise StopAsyncIteration


class _Ended:
    """Tells the batch of one call, unless it was dropped."""

    __slots__ = ("_batch",)

    def __init__(self, batch: weakref.ref[AsyncBatch[Any]]) -> None:
        self._batch = batch

    def __call__(self, result: Result, error: Optional[BaseException]) -> None:
        batch = self._batch()
        if batch is not None:
            batch._ended(result, error)
