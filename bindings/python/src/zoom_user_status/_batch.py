"""Many users: the native batch runs on a thread of its own, and its results are taken from here."""

from __future__ import annotations

import contextlib
import ctypes
import os
import threading
from collections import deque
from types import TracebackType
from typing import Callable, Deque, Generic, List, NoReturn, Optional, Type, TypeVar

from . import _native as native
from ._base import of_many
from ._calls import Cancel, Hooks, callback, perform
from ._codes import Action, Code
from ._errors import error_for
from ._result import Result
from ._typing import Self

T = TypeVar("T")
_AHEAD = 256  # results that may wait to be taken before the batch pauses
_POLL = 0.1  # seconds
# Windows doesn't hear Ctrl-C while it waits for a lock.
_WAIT = _POLL if os.name == "nt" else None


class _Run:
    """What the thread and the iterator share. The thread knows nothing of the iterator, which may be dropped."""

    def __init__(
        self,
        client: native.ClientHandle,
        hooks: Hooks,
        users: List[str],
        action: Optional[Action],
        cancel: Optional[Cancel],
    ) -> None:
        self.client: Optional[native.ClientHandle] = client
        self.hooks = hooks
        self.users = users
        self.action = action
        self.cancel = cancel
        self.canceller = native.Canceller()  # its own, so that stop() ends nothing else
        self.results: Deque[Result] = deque()
        self.code: Optional[Code] = None  # once it has ended
        self.error: Optional[BaseException] = None
        self.last_failure: Optional[Result] = None
        self.changed = threading.Event()  # a result came, or the end
        self.room = threading.Event()  # a result was taken

    def run(self) -> None:
        code = Code.PANIC
        try:
            users = (ctypes.c_char_p * len(self.users))(*map(of_many, self.users))
            on_result = native.RESULT_FN(callback(self.hooks, self._take, 1))
            client = self.client
            assert client is not None

            def send(cancel: native.Canceller, _result: native.ResultHandle) -> int:
                nonlocal code
                many = (client.value, users, len(self.users))
                how = (cancel, on_result, None)
                code = Code(
                    native.get_user_status_many(*many, *how)
                    if self.action is None
                    else native.update_status_many(*many, self.action, *how)
                )
                return code

            perform(self.hooks, send, self.cancel, self.canceller)
        except BaseException as error:
            self.error = error
            # The exception of a token provider cancels the batch, too.
            if self.last_failure is not None and self.last_failure.is_fatal:
                code = self.last_failure.code
        finally:
            self.client = None
            self.code = code
            self.changed.set()

    def _take(self, _userdata: object, index: int, handle: int) -> int:
        result = native.read_result(handle, native.result_code(handle), self.users[index], self.action, index)
        if not result.ok:
            self.last_failure = result
        while len(self.results) >= _AHEAD and not self.canceller.raised:
            self.room.clear()
            self.room.wait(_POLL)
        self.results.append(result)
        self.changed.set()
        return 0


class Batch(Generic[T]):
    """The results of ``Client.update_many`` or ``Client.statuses``, in the order in which the users end.

    To stop early, call ``stop()`` (from any thread or a signal handler) or leave its ``with`` block. No result is lost: users in
    flight are ended at once and still give theirs, so go on iterating, or take ``list(batch)`` after ``close()``. A user without a
    result was never sent. When you take results slowly, the batch waits for you.

    A Ctrl-C that comes while it waits for a result stops it. One that comes while your own code has a result does not, nor does
    ``break``: a batch that a variable names goes on sending. So write ``with client.update_many(...) as batch:``, or call ``stop()``.

    When it ends early because no further user could succeed (no token, a rejected token, a missing scope, the daily limit), the
    iteration ends with that exception after the last result. An exception of a token provider or log handler ends it the same way.

    It is iterated in one thread at a time.
    """

    def __init__(
        self,
        client: native.ClientHandle,
        hooks: Hooks,
        users: List[str],
        action: Optional[Action],
        given: Callable[[Result], T],
        cancel: Optional[Cancel],
    ) -> None:
        self._given = given
        self._run = _Run(client, hooks, users, action, cancel)
        self._thread: Optional[threading.Thread] = None
        self._pid = os.getpid()
        self._over = False

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T:
        run = self._run
        if self._over:
            raise StopIteration
        try:
            self._start()
            while not run.results:
                if run.code is not None and not run.results:
                    self._end()
                run.changed.clear()
                if not run.results and run.code is None:
                    run.changed.wait(_WAIT)
            result = self._given(run.results[0])
            run.room.set()
            del run.results[0]  # last: an interrupt before this loses nothing
        except BaseException:
            self.stop()
            raise
        return result

    def stop(self) -> None:
        """Sends no further user and ends those in flight. Iterate on to get their results."""
        if self._pid == os.getpid():
            self._run.canceller.cancel()

    def close(self) -> None:
        """``stop()``, and waits until the users in flight have ended. Their results are still there for iterating."""
        self.stop()
        if self._thread is None:
            self._over = True
        elif self._pid == os.getpid():
            self._thread.join()

    @property
    def code(self) -> Optional[Code]:
        """How it ended: OK, PARTIAL, CANCELLED or what ended it early. ``None`` while it runs."""
        return self._run.code

    def __repr__(self) -> str:
        run = self._run
        state = "running" if self._thread is not None else "closed" if self._over else "not started"
        if run.code is not None:
            state = f"ended {run.code}"
        return f"<{type(self).__name__} {run.action or 'status'} of {len(run.users)} users, {state}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()

    def __del__(self) -> None:
        with contextlib.suppress(Exception):
            if self._thread is not None and self._run.code is None:
                self.stop()

    def _start(self) -> None:
        if self._pid != os.getpid():
            text = native.text_of(Code.FORKED)
            raise error_for(Result("", self._run.action, Code.FORKED, message=text))
        if self._thread is None:
            self._thread = threading.Thread(target=self._run.run, name="zoom_user_status-batch", daemon=True)
            self._thread.start()

    def _end(self) -> NoReturn:
        self._over = True
        run = self._run
        if run.error is not None:
            raise run.error
        code = run.code or Code.OK
        if code in (Code.OK, Code.PARTIAL) or (code == Code.CANCELLED and run.canceller.raised):
            raise StopIteration
        last = run.last_failure
        if last is not None and last.code == code:
            raise error_for(last)
        raise error_for(Result("", run.action, code, message=native.text_of(code)))
